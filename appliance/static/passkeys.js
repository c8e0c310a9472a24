// Makes passkeys and shows them. The password way works without this file.
(() => {
  "use strict";

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const text = (buffer) =>
    buffer && btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-passkey]");
    if (!form || form.elements.credential.value) return;
    event.preventDefault();
    say(form, "");
    const button = form.querySelector("button:not([type=button])");
    button.setAttribute("aria-busy", "true");
    try {
      form.elements.credential.value = JSON.stringify(await ask(form));
      form.submit();
    } catch (why) {
      say(form, words(why));
    }
    button.removeAttribute("aria-busy");
  });
  addEventListener("pageshow", () => {
    for (const field of document.querySelectorAll("form[data-passkey] [name=credential]")) field.value = "";
  });

  async function ask(form) {
    if (!window.PublicKeyCredential) throw new Error("This browser knows no passkeys here: they need HTTPS, or localhost.");
    const options = await asked(form);
    options.challenge = bytes(options.challenge);
    if (form.dataset.passkey === "make") {
      options.user.id = bytes(options.user.id);
      options.excludeCredentials = named(options.excludeCredentials);
      return made(await navigator.credentials.create({ publicKey: options }));
    }
    options.allowCredentials = named(options.allowCredentials);
    return shown(await navigator.credentials.get({ publicKey: options }));
  }

  async function asked(form) {
    const { ticket } = form.dataset;
    const answer = await fetch(form.dataset.options, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(ticket ? { ticket } : {}),
    });
    const said = await answer.json();
    if (said.type === "urn:homeport:confirm") location.assign(`/confirm?to=${encodeURIComponent(location.pathname)}`);
    if (!answer.ok) throw new Error(said.detail);
    return said.options;
  }

  const made = ({ id, rawId, type, response }) => ({
    id,
    type,
    rawId: text(rawId),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.getAuthenticatorData()),
      publicKey: text(response.getPublicKey()),
    },
  });

  const shown = ({ id, rawId, type, response }) => ({
    id,
    type,
    rawId: text(rawId),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: text(response.userHandle),
    },
  });

  function say(form, words) {
    form.querySelector("[data-says]").textContent = words;
  }

  function words(why) {
    if (why.name === "NotAllowedError") return "No passkey was shown: it was cancelled, or took too long.";
    if (why.name === "InvalidStateError") return "This device has a passkey for your account already.";
    if (why.name === "SecurityError") return "Passkeys work at this appliance’s own address alone, by HTTPS or at localhost.";
    return why.message;
  }
})();
