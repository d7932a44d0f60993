// Checks a proof again in the browser, from the record up to the log's signature; nothing here asks a server.
// RFC 9162 section 2.1.3.2 (trees of RFC 6962), C2SP tlog-checkpoint and signed-note, RFC 8785 for the leaf.
"use strict";

const bytesOf = (text) => new TextEncoder().encode(text);
const fromHex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
const toHex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));

// All values are strings, so sorted keys and JSON.stringify are RFC 8785.
async function leafOf(record) {
  const { salt, data, meta, ...kept } = record;
  kept.commitment = toHex(await sha256([2], fromHex(salt), bytesOf(data)));
  kept.meta = toHex(await sha256([3], fromHex(salt), bytesOf(meta)));
  const parts = Object.keys(kept).sort().map((name) => `${JSON.stringify(name)}:${JSON.stringify(kept[name])}`);
  return `{${parts.join(",")}}`;
}

async function rootOf(leaf, index, size, path) {
  let node = index;
  let last = size - 1;
  let value = leaf;
  for (const sibling of path) {
    if (last === 0) throw new Error("the path is too long");
    if (node % 2 === 1 || node === last) {
      value = await sha256([1], sibling, value);
      while (node % 2 === 0 && node !== 0) {
        node = Math.floor(node / 2);
        last = Math.floor(last / 2);
      }
    } else {
      value = await sha256([1], value, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) throw new Error("the path is too short");
  return value;
}

async function signedHead(note, keyText) {
  const cut = note.lastIndexOf("\n\n");
  const text = note.slice(0, cut + 1);
  const [name, , encoded] = keyText.split(/\+(.{8})\+/);
  const raw = fromBase64(encoded).slice(1);
  const key = await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
  for (const line of note.slice(cut + 2).trimEnd().split("\n")) {
    const parts = line.split(" ");
    if (parts[1] !== name) continue;
    const signature = fromBase64(parts[2]).slice(4);
    if (await crypto.subtle.verify({ name: "Ed25519" }, key, signature, bytesOf(text))) {
      const [, size, root] = text.split("\n");
      return { size: Number(size), root: toHex(fromBase64(root)) };
    }
  }
  throw new Error("the checkpoint is not signed by the log's key");
}

async function check(proof) {
  const leaf = await leafOf(proof.record);
  if (leaf !== proof.leaf) throw new Error("the record is not the one of the leaf");
  const head = await signedHead(proof.checkpoint, proof.key);
  const path = proof.hashes.map(fromHex);
  const root = await rootOf(await sha256([0], bytesOf(leaf)), Number(proof.record.position) - 1, head.size, path);
  if (toHex(root) !== head.root) throw new Error("the record does not lead to the signed root");
  return `Checked in this browser too: the record leads through ${path.length} hashes to the root that the log signed.`;
}

const said = document.getElementById("proved");
check(JSON.parse(document.getElementById("proof").textContent)).then(
  (text) => { said.className = "good"; said.textContent = text; },
  (error) => {
    const old = error.name === "NotSupportedError" || !crypto.subtle;
    said.className = old ? "soft" : "bad";
    said.textContent = old ? "This browser cannot check Ed25519 signatures; the server's check stands above." : `In this browser the proof fails: ${error.message}.`;
  },
);
