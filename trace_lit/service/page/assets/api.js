/* Requests to the service, and what goes wrong with them. */
"use strict";

(() => {
  class ServiceError extends Error {
    constructor(message, status) {
      super(message);
      this.status = status;
    }
  }
  page.ServiceError = ServiceError;

  const tokenKey = "trace_lit.token";

  async function send(path, options = {}) {
    const headers = new Headers(options.headers);
    const token = sessionStorage.getItem(tokenKey);
    if (token) headers.set("authorization", `Bearer ${token}`);
    let response;
    try {
      response = await fetch(path, { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ServiceError("The service does not answer. Is it still running, and are you still connected to it?", 0);
    }
    if (response.ok) return response;
    if (response.status === 401) {
      await askForToken(token !== null);
      return send(path, options);
    }
    let words = `The service answered with ${response.status}.`;
    try {
      words = (await response.json()).error ?? words;
    } catch { /* no JSON: the status says it */ }
    throw new ServiceError(words, response.status);
  }

  function askForToken(refused) {
    const dialog = page.find("token-dialog");
    page.find("token-title").textContent = refused ? "This token is not right" : "This service asks for a token";
    if (!dialog.open) dialog.showModal();
    return new Promise((resolve, reject) => {
      page.find("token-form").onsubmit = () => {
        sessionStorage.setItem(tokenKey, page.find("token").value.trim());
        resolve();
      };
      dialog.oncancel = () => reject(new ServiceError("The service asks for a token.", 401));
    });
  }

  page.info = async () => (await send("info")).json();
  page.get = async (path) => (await send(path)).json();

  page.post = (path, body, signal) => send(path, {
    method: "POST", signal, headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });

  /** A text as characters of a link, and back. */
  page.packed = async (text) => {
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    let letters = "";
    for (const byte of bytes) letters += String.fromCharCode(byte);
    return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  };
  page.unpacked = async (packed) => {
    const letters = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
  };
})();
