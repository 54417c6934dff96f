// The hand of the time rail: moving it tells the instant, letting go looks at it.
import { one, isPast } from "./_dom.js";
import { clock, day, full } from "./_times.js";

const hand = one(".rail-hand");
if (hand) {
  const scale = one(".rail-scale");
  const start = Date.parse(scale.dataset.from);
  const step = Number(scale.dataset.step) * 1000;
  const after = one(".rail-after", scale);
  const now = one(".rail-now time");
  const beside = one(".rail-now span");
  const first = hand.value;
  const isEnd = () => Number(hand.value) >= Number(hand.max);
  const instant = () => new Date(start + Number(hand.value) * step);

  const tell = () => {
    const part = (100 * hand.value) / hand.max;
    after.setAttribute("x", `${part}%`);
    after.setAttribute("width", `${100 - part}%`);
    hand.setAttribute("aria-valuetext", isEnd() ? "Now" : full(instant()));
    if (hand.value === first && !isPast()) return;
    now.textContent = isEnd() ? "Now" : `${day(instant())} ${clock(instant())}`;
    now.removeAttribute("data-as");
    beside.textContent = isEnd() ? "let go to return" : "let go to look";
  };

  let waiting = 0;
  const look = () => {
    clearTimeout(waiting);
    if (hand.value === first) return;
    const address = new URL(location.href);
    address.searchParams.delete("after");
    if (isEnd()) address.searchParams.delete("at");
    else address.searchParams.set("at", instant().toISOString().replace(/\.\d+Z$/, "Z"));
    location.assign(address);
  };

  hand.addEventListener("input", tell);
  hand.addEventListener("pointerup", look);
  // With the arrows one goes on for a while before the page follows.
  hand.addEventListener("keyup", (event) => {
    if (event.key === "Enter") look();
    else if (event.key.startsWith("Arrow") || ["Home", "End", "PageUp", "PageDown"].includes(event.key)) {
      clearTimeout(waiting);
      waiting = setTimeout(look, 700);
    }
  });
}
