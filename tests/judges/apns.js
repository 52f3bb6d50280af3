// Apple's service on Node's own HTTP/2: checks what Apple checks, and prints a line of JSON for each request.
const crypto = require("crypto");
const fs = require("fs");
const http2 = require("http2");

// certificate (a PEM file with its key), publicKey, keyId, teamId, topic; by device: a reason, "reset" or "refuse"
const { certificate, publicKey, keyId, teamId, topic, devices } = JSON.parse(process.argv[2]);
const pem = fs.readFileSync(certificate);
const server = http2.createSecureServer({ cert: pem, key: pem, settings: { maxConcurrentStreams: 50 } });
const sessions = [];
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");
const json = (part) => JSON.parse(Buffer.from(part, "base64url").toString());

function faultOfToken(header) {
  const [head, body, signature] = (header || "").replace(/^bearer /, "").split(".");
  if (!signature) return [403, "MissingProviderToken"];
  const key = { key: publicKey, dsaEncoding: "ieee-p1363" };
  const signed = crypto.verify("sha256", `${head}.${body}`, key, Buffer.from(signature, "base64url"));
  const { alg, kid } = json(head);
  const { iss, iat } = json(body);
  if (!signed || alg !== "ES256" || kid !== keyId || iss !== teamId) return [403, "InvalidProviderToken"];
  if (Math.abs(Date.now() / 1000 - iat) > 3600) return [403, "ExpiredProviderToken"];
}

function fault(headers, body) {
  if (!/^\/3\/device\/([0-9a-f]{2}){32,100}$/.test(headers[":path"])) return [404, "BadPath"];
  if (headers[":method"] !== "POST") return [405, "MethodNotAllowed"];
  const ofToken = faultOfToken(headers.authorization);
  if (ofToken) return ofToken;
  if (!headers["apns-topic"]) return [400, "MissingTopic"];
  if (headers["apns-topic"] !== topic) return [400, "TopicDisallowed"];
  const id = headers["apns-id"];
  if (id && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return [400, "BadMessageId"];
  if (headers["apns-push-type"] !== "alert") return [400, "InvalidPushType"];
  if (!["1", "5", "10", undefined].includes(headers["apns-priority"])) return [400, "BadPriority"];
  if (!/^\d*$/.test(headers["apns-expiration"] || "")) return [400, "BadExpirationDate"];
  if (Buffer.byteLength(headers["apns-collapse-id"] || "") > 64) return [400, "BadCollapseId"];
  if (body.length === 0) return [400, "PayloadEmpty"];
  if (body.length > 4096) return [413, "PayloadTooLarge"];
  if (!JSON.parse(body).aps) return [400, "PayloadEmpty"];
}

function answer(stream, headers, body) {
  const device = headers[":path"].split("/").pop();
  const wanted = devices[device];
  const id = headers["apns-id"] || crypto.randomUUID();
  say({ device, session: sessions.indexOf(stream.session), headers: { ...headers }, body: body.toString() });
  if (wanted === "reset") return stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  if (wanted === "refuse") return stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
  const [status, reason, timestamp] = fault(headers, body) || wanted || [200];
  stream.respond({ ":status": status, "apns-id": id }, { endStream: !reason });
  if (reason) stream.end(JSON.stringify({ reason, timestamp }));
  // After this answer the connection is used no more; what is under way on it is answered still.
  if (wanted && wanted[3] === "goaway") stream.session.close();
}

server.on("session", (session) => sessions.push(session));
server.on("stream", (stream, headers) => {
  const parts = [];
  stream.on("error", () => {});
  stream.on("data", (part) => parts.push(part));
  stream.on("end", () => answer(stream, headers, Buffer.concat(parts)));
});
server.listen(0, "127.0.0.1", () => say({ port: server.address().port }));
// It ends with the test that started it, when all is said.
process.stdin.resume().on("end", () => {
  sessions.forEach((session) => session.destroy());
  server.close();
});
