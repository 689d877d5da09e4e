// npm soap, as its README shows it: a client from the WSDL, the operation by name.
// One JSON line in: {wsdl, operation, attributes: names that are attributes, body}; one JSON line out: {answer} or {fault}.
const soap = require("soap");

// This library wants attributes under a key of their own.
function shaped(value, attributes) {
  if (Array.isArray(value)) return value.map((item) => shaped(item, attributes));
  if (value === null || typeof value !== "object") return value;
  const result = {};
  for (const [name, item] of Object.entries(value)) {
    if (attributes.includes(name) && typeof item === "string") (result.attributes ??= {})[name] = item;
    else result[name] = shaped(item, attributes);
  }
  return result;
}

const pieces = [];
process.stdin.on("data", (piece) => pieces.push(piece)).on("end", async () => {
  const asked = JSON.parse(Buffer.concat(pieces).toString("utf-8"));
  let said;
  try {
    const client = await soap.createClientAsync(asked.wsdl, { forceSoap12Headers: true });
    const [answer] = await client[`${asked.operation}Async`](shaped(asked.body, asked.attributes));
    said = { answer };
  } catch (error) {
    said = { fault: error.message };
  }
  console.log(JSON.stringify(said));
});
