"use strict";
// The page of the shop. Everything that comes from outside goes through `text`.

const fs = require("node:fs");
const path = require("node:path");

const SHELF = ["Tea", "Coffee", "Bread", "Butter", "Crème brûlée"];
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

const text = (value) => String(value).replace(/[&<>"']/g, (c) => ENTITIES[c]);

const STYLE = fs.readFileSync(path.join(__dirname, "style.css"), "utf8");

const product = (name, label) =>
  `<form method="post" action="/cart"><input type="hidden" name="product" value="${text(name)}">` +
  `<button>${text(label)}</button></form>`;

function item([name, count]) {
  return `<li><b>${text(count)}×</b><span>${text(name)}</span>${product(name, "One more")}
    <form method="post" action="/cart/remove"><input type="hidden" name="product" value="${text(name)}">
    <button>Remove</button></form></li>`;
}

function account(user, failed) {
  if (user)
    return `<form method="post" action="/logout"><button>Log out</button></form>
    <p>Hello, ${text(user)}.</p>`;
  return `<form method="post" action="/login"><input name="name" placeholder="Name" required>
    <input name="password" type="password" placeholder="Password" aria-label="Password" required>
    <button class="primary">Log in</button></form>
    <p${failed ? ' class="wrong">That was not right. ' : ">"}Try ann and tea, or bob and coffee.</p>`;
}

/** The whole page, as HTML. */
function page({ user, cart, note, failed, id, process }) {
  const items = Object.entries(cart).sort(([a], [b]) => a.localeCompare(b));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Shop</title>
<link rel="icon" href="data:,">
<style>
${STYLE}</style>
<main>
  <h1>The corner shop</h1>
  <section><h2>Your cart</h2>
    <form method="post" action="/cart"><input name="product" maxlength="40" placeholder="What do you need?"
      aria-label="Product" autocomplete="off" required><button class="primary">Add</button></form>
    <div class="shelf">${SHELF.map((name) => product(name, name)).join("")}</div>
    ${items.length > 0 ? `<ul>${items.map(item).join("")}</ul>` : "<p>Nothing in it yet.</p>"}
  </section>
  <section><h2>A note to the courier</h2>
    <form method="post" action="/note"><input name="note" maxlength="200" aria-label="Note"
      value="${typeof note === "string" ? text(note.slice(0, 200)) : ""}"><button>Keep</button></form>
  </section>
  <section><h2>${user ? "You are logged in" : "Log in"}</h2>${account(user, failed)}</section>
  <p>Session ${text(id)}, answered by process ${text(process)}.</p>
</main>
</html>
`;
}

module.exports = { page };
