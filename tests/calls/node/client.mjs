// Calls deployments with the Node SDK of OpenAI. The jobs are JSON on standard input, the results JSON on standard output.
import { readFileSync } from "node:fs";
import OpenAI from "openai";

const { url, token, jobs } = JSON.parse(readFileSync(0, "utf8"));
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: token });

async function run({ kind, model, text }) {
  const messages = [{ role: "user", content: text }];
  switch (kind) {
    case "chat":
      return (await client.chat.completions.create({ model, messages })).choices[0].message;
    case "stream": {
      const stream = await client.chat.completions.create({ model, messages, stream: true });
      let said = "";
      for await (const chunk of stream) said += chunk.choices[0].delta.content ?? "";
      return said;
    }
    case "helper":
      return (await client.chat.completions.stream({ model, messages }).finalChatCompletion()).choices[0].message;
    case "text":
      return (await client.completions.create({ model, prompt: text })).choices[0].text;
    case "models": {
      const ids = [];
      for await (const each of client.models.list()) ids.push(each.id);
      return ids;
    }
    case "model":
      return (await client.models.retrieve(model)).id;
    case "response":
      return await client.responses.create({ model, input: text });
  }
}

const results = [];
for (const job of jobs) {
  try {
    results.push({ result: await run(job) });
  } catch (error) {
    results.push({ error: error.constructor.name, status: error.status, code: error.code, message: error.message });
  }
}
console.log(JSON.stringify(results));
