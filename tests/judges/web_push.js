// A push service that decrypts what it gets and checks its VAPID signature, on this machine's loopback only.
const Server = require("web-push-testing/src/server");
const { PushApiModel } = require("web-push-testing/src/PushApiModel");

class LocalServer extends Server {
  startServer() {
    this.setRequestHandlers();
    this._server = this._app.listen(0, "127.0.0.1", () => {
      const { port } = this._server.address();
      model.notifyUrl = `http://127.0.0.1:${port}/notify/`;
      console.log(JSON.stringify({ port }));
    });
  }
}

const model = new PushApiModel();
new LocalServer(model, 0).startServer();
process.stdin.resume().on("end", () => process.exit(0)); // it ends with the test that started it
