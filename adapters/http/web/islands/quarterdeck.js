// What every page does beyond its links and forms. Each behaviour is a file of its own.
import "./_times.js";
import "./_instants.js";
import "./_preferences.js";
import "./_rail.js";
import "./_rows.js";
import "./_tabs.js";
import "./_forms.js";
import "./_palette.js";
import "./_keys.js";
import "./_log.js";
import "./_live.js";
import "./_copy.js";
