// Every page works without this module. It never writes HTML from strings: the content security policy blocks that.
const all = (selector) => [...document.querySelectorAll(selector)];

/** Return whether the text is in the clipboard. Over plain HTTP, browsers have only the old command. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = Object.assign(document.createElement("textarea"), { value: text, className: "vh" });
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return isCopied;
  }
}

/** Show a word at a button for two seconds, and let screen readers read it. */
function say(button, word) {
  button.dataset.said = document.getElementById("said").textContent = word;
  clearTimeout(button.timer);
  button.timer = setTimeout(() => {
    delete button.dataset.said;
    document.getElementById("said").textContent = "";
  }, 2000);
}

for (const button of all("[data-copy]")) {
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    if (await copy(source.value ?? source.textContent)) return say(button, "Copied");
    getSelection().selectAllChildren(source); // so that one key copies it
    say(button, "Press Ctrl+C");
  });
}

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const local = new Intl.DateTimeFormat("en-CA", {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  hourCycle: "h23", timeZoneName: "short",
});

/** Return a text such as "2 hours ago"; after 30 days, the date. */
function ago(date) {
  const seconds = (date - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 0];
  if (!size) return "just now";
  return Math.abs(seconds) < 30 * 86_400 ? relative.format(Math.trunc(seconds / size), unit) : local.format(date).slice(0, 10);
}

/** Return what a browser stores for a name; null without it, or where storage is blocked. */
function stored(name) {
  try {
    return localStorage.getItem(`moorage-${name}`);
  } catch {
    return null;
  }
}

const inUtc = (date) => `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
const inZone = (date) => local.format(date).replace(",", "");
const times = all("time[datetime]").map((element) => [element, new Date(element.dateTime)]);
function showTimes() {
  const isUtc = stored("times") === "utc";
  for (const [element, date] of times) {
    const texts = [...new Set([inZone(date), inUtc(date)])];
    element.title = (isUtc ? texts.reverse() : texts).join("\n");
    element.textContent = element.matches(".exact") ? (isUtc ? inUtc : inZone)(date) : ago(date);
  }
}
showTimes();
setInterval(showTimes, 60_000);

/** Let a button change a setting of this browser to its next value. The first value is not stored. */
function setting(selector, name, values, label, apply) {
  for (const button of all(selector)) {
    const show = () => (button.lastElementChild.textContent = `${label}: ${stored(name) ?? values[0]}`);
    button.addEventListener("click", () => {
      const next = values[(values.indexOf(stored(name) ?? values[0]) + 1) % values.length];
      try {
        if (next === values[0]) localStorage.removeItem(`moorage-${name}`);
        else localStorage.setItem(`moorage-${name}`, next);
        show();
      } catch {
        button.lastElementChild.textContent = `${label}: ${next}, on this page`;
      }
      apply(next);
    });
    show();
  }
}

let hasKeys = stored("keys") !== "off";
setting("[data-keys-switch]", "keys", ["on", "off"], "Shortcuts", (value) => (hasKeys = value === "on"));
setting("[data-times-switch]", "times", ["local", "utc"], "Times", showTimes);
setting("[data-theme-switch]", "theme", ["system", "light", "dark"], "Colours", (value) => {
  if (value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
});

/** Move the focus to the search field that is visible; return whether there is one. */
function search() {
  const field = all("input[type=search]").find((input) => input.checkVisibility());
  field?.focus();
  field?.select();
  return Boolean(field);
}

/** Follow the first link whose path has this end; return whether there is one. */
function follow(end, scope = "") {
  const link = all(`${scope} a[href]`).find((link) => link.pathname.endsWith(end));
  link?.click();
  return Boolean(link);
}

/** Move the focus to the next or the previous element, which is in the list or has the focus in it. */
function step(elements, direction) {
  const from = elements.findIndex((element) => element.contains(document.activeElement));
  const next = elements[from < 0 ? (direction > 0 ? 0 : -1) : from + direction];
  if (next?.matches(".part")) next.tabIndex = -1;
  next?.focus();
  return Boolean(next);
}

/** Compare the deployment of the page; return whether it has one. */
function compare() {
  const address = document.querySelector("[data-compare]")?.dataset.compare;
  if (address) location.assign(address);
  return Boolean(address);
}

const links = () => all("main tbody tr").map((row) => row.querySelector("a[href]")).filter(Boolean);
const KEYS = {
  "?": () => follow("/console/keyboard"),
  "/": search,
  "g d": () => follow("/console/deployments"),
  "g c": () => follow("/console/changes"),
  "g k": () => follow("/console/keys"),
  j: () => step(links(), 1),
  k: () => step(links(), -1),
  e: () => follow("/edit", "main"),
  c: compare,
  n: () => step(all(".part"), 1),
  p: () => step(all(".part"), -1),
};
let before = ""; // the first key of a sequence
let timer;

addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Escape") {
    const menu = document.activeElement?.closest("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.firstElementChild.focus();
  } else if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    if (search() || follow("/console/deployments")) event.preventDefault();
  } else if (hasKeys && !event.ctrlKey && !event.metaKey && !event.altKey) {
    if (event.target.closest?.("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]")) return;
    const name = before + event.key;
    before = "";
    clearTimeout(timer);
    if (name === "g") {
      before = "g ";
      timer = setTimeout(() => (before = ""), 1500);
      event.preventDefault();
    } else if (Object.hasOwn(KEYS, name) && KEYS[name]()) event.preventDefault();
  }
});
addEventListener("click", (event) => {
  for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// The editor stores unsaved text in this browser, until it is saved, and until the sign-out.
try {
  const saving = sessionStorage.getItem("moorage-saving");
  if (saving && new URLSearchParams(location.search).get("done")?.startsWith("draft_saved")) {
    localStorage.removeItem(saving);
    sessionStorage.removeItem("moorage-saving");
  }
  document.querySelector('form[action$="/console/sign-out"]')?.addEventListener("submit", () => {
    for (const name of Object.keys(localStorage)) if (name.startsWith("moorage-edit:")) localStorage.removeItem(name);
  });
} catch {} // storage is blocked

// A double click sends a form once: the page after the second one would say that somebody was faster.
let sent = null;
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (sent?.form === event.target && event.timeStamp - sent.at < 1_000) event.preventDefault();
  else sent = { form: event.target, at: event.timeStamp };
});
addEventListener("pageshow", () => (sent = null));

// On phones, the tabs scroll sideways.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const pulse = document.getElementById("pulse");
if (pulse) {
  let waiting;
  let isAsking = false;
  /** Ask what changed since the page was made, as long as somebody looks at it. */
  function ask() {
    clearTimeout(waiting);
    if (document.hidden || isAsking) return;
    isAsking = true;
    const request = new XMLHttpRequest();
    request.open("GET", pulse.dataset.pulse);
    request.responseType = "document";
    request.timeout = 20_000;
    request.onload = () => {
      const note = request.status === 200 ? request.response?.getElementById("pulse-note") : null;
      if (!note || pulse.contains(document.activeElement)) return;
      if (note.dataset.pulse) pulse.dataset.pulse = note.dataset.pulse;
      if (note.textContent !== pulse.textContent) pulse.replaceChildren(document.adoptNode(note));
    };
    request.onloadend = () => {
      isAsking = false;
      const isOver = request.status && !request.responseURL.includes("/console/pulse"); // at the sign-in page
      if (!isOver) waiting = setTimeout(ask, document.hasFocus() ? 5_000 : 30_000);
    };
    request.send();
  }
  addEventListener("focus", ask);
  document.addEventListener("visibilitychange", ask);
  waiting = setTimeout(ask, 5_000);
}
