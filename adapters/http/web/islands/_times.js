// Times were written by the server in its zone; here they are told in the reader's own, and ages go on.
import { all, whenever } from "./_dom.js";

const MINUTE = 60, HOUR = 3600, DAY = 86400;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (number) => String(number).padStart(2, "0");
const hm = (t) => `${two(t.getHours())}:${two(t.getMinutes())}`;
const clock = (t) => `${hm(t)}:${two(t.getSeconds())}`;
const sameDay = (a, b) => a.toDateString() === b.toDateString();
const day = (t) => `${t.getDate()} ${months[t.getMonth()]}`;
const short = (t, now) => {
  if (sameDay(t, now)) return hm(t);
  return t.getFullYear() === now.getFullYear() ? day(t) : `${day(t)} ${t.getFullYear()}`;
};
const age = (seconds) => {
  const s = Math.max(seconds, 0);
  if (s < MINUTE) return `${Math.floor(s)} s`;
  if (s < HOUR) return `${Math.floor(s / MINUTE)} min`;
  if (s < DAY) return `${Math.floor(s / HOUR)} h`;
  return s < 730 * DAY ? `${Math.floor(s / DAY)} d` : `${Math.floor(s / DAY / 365)} y`;
};
const full = (t) =>
  `${t.getDate()} ${t.toLocaleString("en-GB", { month: "long" })} ${t.getFullYear()} ${clock(t)}`;

// The server's clock counts: a browser whose clock is wrong shows right ages all the same.
const shown = document.querySelector("time[data-as=now]");
const ahead = shown ? Date.now() - Date.parse(shown.dateTime) : 0;
export const serverNow = () => new Date(Date.now() - ahead);
const past = document.documentElement.dataset.at;
const reference = () => (past ? new Date(past) : serverNow());

const say = {
  moment: (t, now) => short(t, now),
  clock: (t) => clock(t),
  second: (t, now) => (sameDay(t, now) ? clock(t) : `${short(t, now)} ${clock(t)}`),
  instant: (t) => `${day(t)} ${t.getFullYear()} ${hm(t)}`,
  full: (t) => full(t),
  age: (t, now) => age((now - t) / 1000),
};

const tell = (root) => {
  const now = reference();
  for (const element of all("time[data-as]", root)) {
    const speak = say[element.dataset.as];
    if (!speak) continue;
    const text = speak(new Date(element.dateTime), now);
    if (element.textContent !== text) element.textContent = text;
  }
};

whenever(tell);
for (const word of all(".rail-text[data-at]")) {
  const t = new Date(word.dataset.at);
  word.textContent = t.getHours() || t.getMinutes() ? hm(t) : day(t);
}
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
whenever((root) => {
  for (const told of all("[data-zone]", root)) told.textContent = zone ?? told.textContent;
});

const tick = () => {
  if (shown && !past) shown.textContent = `Now ${clock(serverNow())}`;
};
if (shown) {
  tick();
  setInterval(tick, 1000);
  setInterval(() => tell(document), 15000);
}
export { clock, full, day, hm };
