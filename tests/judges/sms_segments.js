// Twilio's calculator: for each text its encoding and the number of its parts.
const { SegmentedMessage } = require("sms-segments-calculator");

const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
const judged = texts.map((text) => {
  const message = new SegmentedMessage(text, "auto");
  return [message.encodingName, message.segmentsCount];
});
console.log(JSON.stringify(judged));
