// The verifier of Standard Webhooks: for each call whether it holds, with each of the secrets.
const { Webhook } = require("standardwebhooks");

const holds = (secret, { body, headers }) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (error) {
    return error.message;
  }
};

const { secrets, calls } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(calls.map((call) => secrets.map((secret) => holds(secret, call)))));
