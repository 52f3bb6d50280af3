// Microsoft's own parser of Adaptive Cards: for each card what is wrong with it, and how much of it there is.
const {
  AdaptiveCard,
  SerializationContext,
  Version,
} = require("adaptivecards/dist/adaptivecards.js");

const judge = (json) => {
  const context = new SerializationContext(new Version(1, 5));
  const card = new AdaptiveCard();
  card.parse(json, context);
  const parsing = [...Array(context.eventCount).keys()].map((index) => context.getEventAt(index).message);
  const properties = card.validateProperties().validationEvents.map((event) => event.message);
  return { faults: [...parsing, ...properties], items: card.getItemCount(), actions: card.getActionCount() };
};

const cards = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cards.map(judge)));
