// Starts the app. A file of its own, because the policy of the page allows no inline scripts.
import init from "./app.js";

init().catch((error) => {
  console.error(error);
  document.getElementById("start-failure").hidden = false;
});
