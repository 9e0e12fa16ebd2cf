// The try page with its answers while they are written. Without this module, a run returns them all at once.
const form = document.querySelector(".tryout");
if (!form) return;
const runs = form.querySelector("[name=run]");
const stop = form.querySelector("[data-stop]");
let controller = null;

/** Return the fields of the form without its files, as a browser sends them. */
const fields = (extra) =>
  new URLSearchParams([...[...new FormData(form)].filter(([, value]) => typeof value === "string"), ...Object.entries(extra)]);

/** Return the page that a form leads to. No string becomes HTML. */
function requestPage(address, body, signal) {
  return new Promise((done) => {
    if (signal?.aborted) return done(null);
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.responseType = "document";
    request.onloadend = () => done(request.response);
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

/** Replace the messages by those for the current inputs, and the address by one that leads here again. */
async function render() {
  const page = await requestPage(form.action, fields({ render: "1" }));
  const found = page?.getElementById("columns");
  if (found) document.getElementById("columns").replaceWith(document.adoptNode(found));
  return page?.getElementById("failure") ? false : Boolean(found);
}

function remember() {
  const query = fields({});
  for (const [name, value] of [...query]) if (!value || name === "case_name") query.delete(name);
  const address = `${location.pathname}?${query}`;
  if (address.length < 6000) history.replaceState(null, "", address);
}

function element(name, className, parent) {
  const made = document.createElement(name);
  made.className = className;
  parent.append(made);
  return made;
}

/** Return the message of an error without its hint, which is for programs and the command line. */
const words = ({ message, hint = "" }) => (message.endsWith(hint) ? message.slice(0, message.length - hint.length) : message);

/** Yield the events of a stream, and null at its end. A stream that was cut off has none. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      if (block === "data: [DONE]") yield null;
      else if (block.startsWith("data: ")) yield JSON.parse(block.slice(6));
    }
  }
}

/** Call the model of one column, and show its answer when all of it is there. Return whether it is complete. */
async function wholeAnswer(column, place, signal) {
  const body = new FormData(form);
  body.append("column", column.dataset.column);
  body.append("whole", "1");
  const page = await requestPage(form.dataset.answers, body, signal);
  const found = page?.querySelector("[data-answer]");
  if (!found) throw new Error(`The server sent no answer: ${page?.querySelector("h1")?.textContent ?? "it cannot be reached"}.`);
  place.replaceWith(document.adoptNode(found));
  for (const audio of found.querySelectorAll("audio")) audio.load(); // a document without a window cannot load it
  return !found.querySelector(".wrong");
}

/** Call the model of one column, and write what arrives as text. Return whether it is complete. */
async function answer(column, signal) {
  const place = column.querySelector("[data-answer]");
  const texts = place.querySelector("[data-texts]");
  const facts = place.querySelector("[data-facts]");
  const started = performance.now();
  const written = new Map();
  const calls = new Map();
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const fail = (text) => (element("p", "wrong", texts).textContent = text);
  texts.replaceChildren();
  facts.textContent = "Waiting for the model";
  place.hidden = false;
  let isComplete = false;
  try {
    if ("whole" in column.dataset) return await wholeAnswer(column, place, signal);
    const extra = { column: column.dataset.column, ...("mock" in column.dataset ? { mock: "1" } : {}) };
    const response = await fetch(form.dataset.answers, { method: "POST", body: fields(extra), signal });
    const type = response.headers.get("content-type") ?? "";
    if (type.startsWith("text/html")) {
      fail(response.status === 401 ? "Your session ended. Sign in, and run again." : "The server rejected the request.");
      return (facts.textContent = "");
    }
    if (!type.startsWith("text/event-stream")) {
      fail(words((await response.json()).error));
      return (facts.textContent = "");
    }
    const parts = [];
    for await (const event of events(response.body)) {
      if (event === null) isComplete = true;
      else if (event.error) throw new Error(words(event.error));
      else {
        for (const { index = 0, message, finish_reason: reason } of event.choices) {
          if (message.content) {
            if (!written.has(index)) written.set(index, element("pre", "text", texts));
            written.get(index).append(message.content);
          }
          for (const call of message.tool_calls ?? []) {
            const known = calls.get(`${index}.${call.index}`);
            if (known) known.function.arguments += call.function.arguments;
            else calls.set(`${index}.${call.index}`, structuredClone(call));
          }
          if (reason) parts.push(reason);
        }
        facts.textContent = seconds();
        if (event.usage) {
          const { prompt_tokens: sent, completion_tokens: received } = event.usage;
          parts.unshift(`${sent.toLocaleString("en")} + ${received.toLocaleString("en")} tokens`);
        }
        if (event.is_final) parts.push(`answered by ${event.model}`);
      }
    }
    if (calls.size) element("pre", "text mono", texts).textContent = JSON.stringify([...calls.values()], null, 2);
    if (!isComplete) fail("The connection ended before the answer was complete.");
    facts.textContent = "mock" in column.dataset ? "" : [seconds(), ...parts].join(" · ");
  } catch (error) {
    facts.textContent = signal.aborted ? `Stopped after ${seconds()}` : seconds();
    if (!signal.aborted) fail(error.message);
  }
  return isComplete;
}

form.addEventListener("submit", async (event) => {
  if (event.submitter !== runs || controller) return;
  event.preventDefault();
  controller = new AbortController();
  const said = document.getElementById("said");
  runs.setAttribute("aria-disabled", "true");
  stop.hidden = false;
  said.textContent = "Running";
  if (await render()) {
    remember();
    const columns = [...document.querySelectorAll("[data-column]")].filter((each) => !each.querySelector("[role=alert]"));
    const results = await Promise.all(columns.map((column) => answer(column, controller.signal)));
    said.textContent = results.every((each) => each === true) ? "The answer is complete" : "The run has ended";
  } else form.submit(); // the page shows what is wrong
  stop.hidden = true;
  runs.removeAttribute("aria-disabled");
  controller = null;
});

const recorder = form.querySelector("[data-recorder]");
if (recorder && navigator.mediaDevices?.getUserMedia && window.MediaRecorder) {
  const record = recorder.querySelector("[data-record]");
  const state = recorder.querySelector("[data-recorded]");
  const input = document.getElementById("audio");
  let running = null;
  recorder.hidden = false;
  record.addEventListener("click", async () => {
    if (running) return running.stop();
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const pieces = [];
      running = new MediaRecorder(stream);
      running.ondataavailable = ({ data }) => pieces.push(data);
      running.onstop = () => {
        for (const track of stream.getTracks()) track.stop();
        const type = running.mimeType.split(";")[0];
        const files = new DataTransfer();
        files.items.add(new File(pieces, `recording.${type.split("/")[1]}`, { type }));
        input.files = files.files;
        running = null;
        record.textContent = "Record again";
        state.textContent = "Recorded. Run sends it.";
      };
      running.start();
      record.textContent = "Stop recording";
      state.textContent = "Recording";
    } catch (error) {
      running = null;
      state.textContent = `The browser does not record: ${error.message}`;
    }
  });
}
stop?.addEventListener("click", () => {
  controller?.abort();
  runs.focus();
});
if (runs) {
  form.querySelector("[data-shortcut]").hidden = false;
  addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit(runs);
  });
}
