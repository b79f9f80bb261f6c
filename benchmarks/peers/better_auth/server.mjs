// better-auth with its API key plugin on node's own HTTP server: verifyApiKey and an empty answer.
// usage: node server.mjs HOST PORT FOLDER COUNT; writes the Authorization values to FOLDER/values, then listens.
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import Database from "better-sqlite3";

const [host, port, folder, count] = process.argv.slice(2);
const database = new Database(`${folder}/database`);
database.pragma("journal_mode = WAL");
database.pragma("synchronous = NORMAL");

const auth = betterAuth({
  baseURL: `http://${host}:${port}`,
  secret: "for measurements only, never deployed",
  database,
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  // Its limit of ten requests a day for each key would refuse the load.
  plugins: [apiKey({ rateLimit: { enabled: false } })],
});

await (await getMigrations(auth.options)).runMigrations();
const { user } = await auth.api.signUpEmail({ body: { name: "Ada", email: "ada@example.com", password: "orchard lantern" } });
const values = [];
for (let i = 0; i < Number(count); i++) {
  values.push(`Bearer ${(await auth.api.createApiKey({ body: { userId: user.id } })).key}`);
}
writeFileSync(`${folder}/values`, `${values.join("\n")}\n`);

createServer(async (request, response) => {
  const key = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  let status = 503;
  try {
    status = (await auth.api.verifyApiKey({ body: { key } })).valid ? 200 : 401;
  } catch (error) {
    console.error(error);
  }
  response.writeHead(status, { "Content-Length": 0 });
  response.end();
}).listen(Number(port), host);
