// Signs in with a token from the fragment of the address, as `demo` prints it. A fragment is not sent to servers.

import { by } from "./dom.js";

const token = decodeURIComponent(location.hash.slice(1));
if (token !== "") {
  history.replaceState(null, "", location.pathname + location.search);
  by("token").value = token;
  by("sign-in").submit();
}
