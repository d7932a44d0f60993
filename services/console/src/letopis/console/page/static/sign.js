// Signs approvals with a key that never leaves this browser: Ed25519, non-extractable, kept in IndexedDB.
"use strict";

const STORE = "keys";
const ED25519 = { name: "Ed25519" };
const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));

function database() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("letopis", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

// One key a login: read it, or keep a new one.
async function stored(login, value) {
  const base = await database();
  return new Promise((resolve, reject) => {
    const work = base.transaction(STORE, value ? "readwrite" : "readonly");
    const store = work.objectStore(STORE);
    const asked = value ? store.put(value, login) : store.get(login);
    work.oncomplete = () => { base.close(); resolve(value || asked.result); };
    work.onerror = () => { base.close(); reject(work.error); };
  });
}

async function newKey() {
  const pair = await crypto.subtle.generateKey(ED25519, false, ["sign", "verify"]);
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", raw));
  const id = [...hash.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { key: pair.privateKey, id, publicKey: base64(raw) };
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Accept": "application/json", "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) {
    const reasons = (told.reasons || []).map((one) => `${one.rule}: ${one.message}; ${one.remedy}`);
    throw new Error([`${told.code}: ${told.detail || told.title}`, ...reasons].join("\n"));
  }
  return told;
}

// The person's key in this browser. The page says which keys the registry knows; one that it does not know (a new
// one, or one made for another installation) is enrolled first.
async function ownKey(login, enrolled) {
  const kept = await stored(login);
  if (kept && enrolled.includes(kept.id)) return kept;
  const made = await stored(login, await newKey());
  await post("/keys", { public_key: made.publicKey });
  return made;
}

// RFC 8785 of a flat object of strings: sorted keys, no spaces.
const canonical = (flat) =>
  `{${Object.keys(flat).sort().map((name) => `${JSON.stringify(name)}:${JSON.stringify(flat[name])}`).join(",")}}`;

async function decide(form, verdict) {
  const told = form.dataset;
  const key = await ownKey(told.login, told.keys.split(" "));
  const signed = {
    verdict,
    version_digest: told.versionDigest,
    environment_digest: told.environmentDigest,
    policy_revision: told.policyRevision,
    key_id: key.id,
  };
  const statement = { ...signed, promotion: told.promotion, person: told.person };
  const bytes = new TextEncoder().encode(`letopis-approval-v1\n${canonical(statement)}`);
  const signature = base64(await crypto.subtle.sign(ED25519, key.key, bytes));
  const path = `/promotions/${encodeURIComponent(told.promotion)}/${verdict}`;
  await post(path, { ...signed, signature, comment: form.elements.comment.value });
}

function readable(error) {
  if (!globalThis.crypto?.subtle || error.name === "NotSupportedError") {
    return "This browser cannot sign with Ed25519. Use a newer one, or `letopis approve` in a shell.";
  }
  return error.message;
}

for (const form of document.querySelectorAll("form[data-promotion]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = form.querySelector("[role=status]");
    const buttons = form.querySelectorAll("button");
    buttons.forEach((button) => { button.disabled = true; });
    said.className = "said soft";
    said.textContent = "Signing with your key ...";
    try {
      await decide(form, event.submitter.value);
      location.reload();
    } catch (error) {
      said.className = "said bad";
      said.textContent = readable(error);
      buttons.forEach((button) => { button.disabled = false; });
    }
  });
}
