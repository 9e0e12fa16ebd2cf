// The editor works without this module, which stores unsaved text in the browser, and marks variables while you type.
const form = document.getElementById("editor");
if (!form) return;
const PREFIX = "moorage-edit:";
const { project, key, base } = form.dataset;
const KEY = [PREFIX + project, key, base].join(":");
const WEEK = 7 * 86_400_000;
const SMALL = 20_000; // characters whose marks are painted at once
const LARGE = 200_000; // and those that get no marks
const state = document.getElementById("state");
const where = document.getElementById("stored");
const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

/** Run something with the storage of this browser; return null where it is blocked or full. */
function withStorage(run) {
  try {
    return run(localStorage);
  } catch {
    return null;
  }
}

// What is typed, and what the page had when it was made: browsers fill a form again after a reload.
function defaultOf(field) {
  if (!field.options) return field.defaultValue;
  return ([...field.options].find((option) => option.defaultSelected) ?? field.options[0])?.value ?? "";
}
function values(of) {
  const fields = [...form.elements].filter(({ name, tagName }) => name && tagName !== "BUTTON");
  return fields.filter(({ name }) => name !== "once" && name !== "live").map((field) => [field.name, of(field)]);
}
const initial = JSON.stringify(values(defaultOf));
const cameChanged = "changed" in form.dataset; // by a button, or because the server rejected it
const isChanged = () => cameChanged || JSON.stringify(values((field) => field.value)) !== initial;

let timer = 0;
let isLeaving = false;

/** Store the form in this browser, or remove it if nothing differs from the version. */
function store() {
  clearTimeout(timer);
  timer = 0;
  const hasChanged = isChanged();
  state.hidden = !hasChanged;
  if (!hasChanged) return withStorage((storage) => storage.removeItem(KEY));
  const text = JSON.stringify({ at: Date.now(), fields: values((field) => field.value) });
  const isStored = withStorage((storage) => (storage.setItem(KEY, text), true));
  where.textContent = isStored ? "stored in this browser" : "This browser cannot store the text: save often.";
}
form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(store, 1000);
});
addEventListener("pagehide", () => timer && store());

/** Return the forms that this browser stores for this deployment, the newest first; remove those older than a week. */
function storedForms() {
  const names = withStorage((storage) => Object.keys(storage)) ?? [];
  const found = [];
  for (const name of names.filter((each) => each.startsWith(PREFIX))) {
    const entry = withStorage((storage) => JSON.parse(storage.getItem(name)));
    if (!(entry?.at > Date.now() - WEEK)) withStorage((storage) => storage.removeItem(name));
    else if (name.startsWith([PREFIX + project, key, ""].join(":"))) found.push({ name, ...entry });
  }
  return found.sort((a, b) => (b.name === KEY) - (a.name === KEY) || b.at - a.at);
}

/** Send a stored form to the server, which gives it back and saves nothing. */
function restore({ fields }) {
  const sent = make("form", { method: "post", action: form.action, enctype: "multipart/form-data", hidden: true });
  for (const [name, value] of [...fields, ["live", form.elements.live.value], ["move", "restore"]]) {
    sent.append(make("textarea", { name, value }));
  }
  document.body.append(sent);
  isLeaving = true;
  sent.submit();
}

function offer(entry) {
  const note = document.getElementById("unsaved");
  const time = new Date(entry.at);
  const isToday = time.toDateString() === new Date().toDateString();
  const style = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(isToday ? {} : { day: "numeric", month: "short" }) };
  note.querySelector("[data-when]").textContent = new Intl.DateTimeFormat("en", style).format(time);
  const from = entry.name.slice(entry.name.lastIndexOf(":") + 1);
  if (from !== base) note.querySelector("[data-what]").textContent = `It was made from ${from}.`;
  note.querySelector("[data-restore]").addEventListener("click", () => {
    if (from === base) return restore(entry);
    location.search = new URLSearchParams([...new URLSearchParams(location.search), ["from", from]].filter(([name, value]) => name !== "from" || value === from));
  });
  note.querySelector("[data-discard]").addEventListener("click", () => {
    withStorage((storage) => storage.removeItem(entry.name));
    note.hidden = true;
  });
  note.hidden = false;
}

if ("saved" in form.dataset) {
  withStorage((storage) => storage.removeItem(sessionStorage.getItem("moorage-saving") ?? KEY));
} else if (cameChanged) {
  store();
} else {
  const [entry] = storedForms();
  if (entry && (entry.name !== KEY || JSON.stringify(entry.fields) !== initial)) offer(entry);
}

form.addEventListener("submit", (event) => {
  if (isLeaving) return event.preventDefault(); // a double click
  store();
  isLeaving = true;
  if (event.submitter?.name === "do") withStorage(() => sessionStorage.setItem("moorage-saving", KEY));
});
addEventListener("pageshow", () => (isLeaving = false));
addEventListener("beforeunload", (event) => {
  if (!isLeaving && isChanged()) event.preventDefault();
});
addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector(".dock [value=save]"));
});

// Texts grow by themselves where the browser can do that; elsewhere with the lines that are typed.
const grows = CSS.supports("field-sizing", "content");
if (!grows) {
  form.addEventListener("input", ({ target }) => {
    if (target.rows) target.rows = Math.min(Math.max(target.value.split("\n").length, 1), 40);
  });
}

// The marks of variables lie behind the text, which is the browser's own: typing never waits for them.
const VARIABLE = /\{\{\s*[#^/&]?\s*([^{}\s]{1,200})[^{}\n]{0,200}\}\}/g;
const known = globalThis.Highlight && new Highlight();
const unknown = globalThis.Highlight && new Highlight();
const canMark = grows && Boolean(known);
if (canMark) {
  CSS.highlights.set("variable", known);
  CSS.highlights.set("undeclared", unknown);
}
const texts = [...form.querySelectorAll(".text > .area")].map((area) => {
  const marks = make("div", { className: "marks", ariaHidden: "true" }, "");
  if (canMark) area.before(marks);
  return { area, marks, ranges: [], names: [], timer: 0 };
});

function declaredNames() {
  return new Set([...form.querySelectorAll('[name^="variables["][name$=".key"]')].map((field) => field.value));
}
const isDeclared = (name, declared) => declared.has(name) || declared.has(name.split(".")[0]);

/** Find the variables of a text, and mark them. */
function paint(text) {
  const { area, marks } = text;
  const found = area.value.length > LARGE ? [] : [...area.value.matchAll(VARIABLE)].slice(0, 1000);
  text.names = found.map((match) => match[1]);
  for (const range of text.ranges) known?.delete(range) || unknown?.delete(range);
  text.ranges = [];
  marks.classList.remove("stale");
  if (!canMark || !(found.length || marks.firstChild.data)) return;
  marks.firstChild.data = found.length ? area.value : "";
  const declared = declaredNames();
  for (const match of found) {
    const node = marks.firstChild;
    const range = new StaticRange({
      startContainer: node, startOffset: match.index, endContainer: node, endOffset: match.index + match[0].length,
    });
    text.ranges.push(range);
    (isDeclared(match[1], declared) ? known : unknown).add(range);
  }
}

/** Offer to declare the variables that texts use and nobody declares. */
function showUndeclared() {
  const list = document.getElementById("undeclared");
  if (!list) return;
  const declared = declaredNames();
  const names = [...new Set(texts.flatMap((text) => text.names))].filter((name) => !isDeclared(name, declared));
  if (names.join("\n") === [...list.children].map((item) => item.firstChild.textContent).join("\n")) return;
  list.replaceChildren(
    ...names.slice(0, 50).map((name) => {
      const hidden = make("span", { className: "vh" }, ` ${name}`);
      const button = make("button", { className: "button s push", name: "move", value: `variables:add:${name}` }, "Declare", hidden);
      button.formAction = `${form.action}#field-variables`;
      return make("li", { className: "row" }, make("span", { className: "var unknown" }, name), button);
    }),
  );
}

function paintAll() {
  texts.forEach(paint);
  showUndeclared();
}
for (const text of texts) {
  text.area.addEventListener("input", () => {
    clearTimeout(text.timer);
    const update = () => {
      paint(text);
      showUndeclared();
    };
    if (text.area.value.length <= SMALL) return update();
    text.marks.classList.add("stale");
    text.timer = setTimeout(update, 150);
  });
}
form.addEventListener("change", ({ target }) => target.name?.endsWith(".key") && paintAll());
paintAll();
