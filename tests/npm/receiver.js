// A destination as its developer would write it: it verifies each delivery
// with the library of Standard Webhooks and answers 200 or 401.
//
//     NODE_PATH=.../node_modules node receiver.js SECRET [STATUS]
//
// Prints its port, then a line of JSON for each request: {"id", "attempt",
// "error"}; the error is "" where the signature was right. With a STATUS, the
// first request is answered with that, whatever its signature.
"use strict";

const http = require("http");
const { Webhook } = require("standardwebhooks");

const [secret, first] = process.argv.slice(2);
const webhook = new Webhook(secret);
let status = Number(first || 0);

function verify(body, headers) {
	try {
		webhook.verify(body, headers);
		return "";
	} catch (error) {
		return error.message;
	}
}

const server = http.createServer((request, response) => {
	const parts = [];
	request.on("data", (part) => parts.push(part));
	request.on("end", () => {
		const error = verify(Buffer.concat(parts), request.headers);
		console.log(JSON.stringify({
			id: request.headers["webhook-id"],
			attempt: request.headers["hookspool-attempt"],
			error,
		}));
		response.writeHead(status || (error === "" ? 200 : 401));
		response.end();
		status = 0;
	});
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
