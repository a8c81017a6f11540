"use strict";
// A shop with a cart and a log-in, written for express-session. SESSION_MODULE says whose sessions it uses:
//   SESSION_MODULE=express-session PORT=3000 node server.js     sessions in this process's memory
//   (behind the gateway: stateway.toml)                         sessions at Stateway, wherever it keeps them
const crypto = require("node:crypto");
const express = require("express");
const session = require(process.env.SESSION_MODULE || "stateway-session"); // the one line

const { page } = require("./page");

const PASSWORDS = new Map([
  ["ann", "tea"],
  ["bob", "coffee"],
]);
const PRODUCT = /^[\p{L}\p{N}][\p{L}\p{N} _-]{0,39}$/u;
const COUNT_MAX = 99;

const app = express();
app.disable("x-powered-by");
app.get("/healthz", (req, res) => res.type("text").send("ok\n"));
app.use(
  session({
    secret: process.env.SESSION_SECRET || crypto.randomBytes(32).toString("hex"),
    resave: false,
    saveUninitialized: false,
  }),
);
app.use(express.urlencoded({ extended: false }), express.json({ limit: "1mb", strict: false }));

function add(session, product) {
  session.cart ??= {};
  session.cart[product] = Math.min(
    (Object.hasOwn(session.cart, product) ? session.cart[product] : 0) + 1,
    COUNT_MAX,
  );
  return session.cart[product];
}

function remove(session, product) {
  if (session.cart) delete session.cart[product];
}

const isProduct = (product) => typeof product === "string" && PRODUCT.test(product);
const mayLogIn = ({ name, password } = {}) => PASSWORDS.has(name) && PASSWORDS.get(name) === password;

// Who logs in gets another session id, against session fixation, and keeps the cart.
function logIn(req, name, done) {
  const { cart, note } = req.session;
  req.session.regenerate((error) => {
    if (error) return done(error);
    Object.assign(req.session, { user: name, cart, note });
    req.session.save(done);
  });
}

// For people: forms, and a redirect after each.
app.get("/", (req, res) => {
  const { user, cart = {}, note, failed } = req.session;
  if (failed) delete req.session.failed;
  res.send(page({ user, cart, note, failed, id: req.sessionID, process: process.pid }));
});

app.post("/cart", (req, res) => {
  if (isProduct(req.body?.product)) add(req.session, req.body.product);
  res.redirect(303, "/");
});

app.post("/cart/remove", (req, res) => {
  remove(req.session, req.body?.product);
  res.redirect(303, "/");
});

app.post("/note", (req, res) => {
  req.session.note = req.body?.note ? String(req.body.note) : null;
  res.redirect(303, "/");
});

app.post("/login", (req, res, next) => {
  if (!mayLogIn(req.body)) {
    req.session.failed = true;
    return res.redirect(303, "/");
  }
  logIn(req, req.body.name, (error) => (error ? next(error) : res.redirect(303, "/")));
});

app.post("/logout", (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.redirect(303, "/")));
});

// For programs: the same as JSON.
const shown = ({ session: { user, cart, note } }) => ({ user: user ?? null, cart: cart ?? {}, note });

app.get("/api/session", (req, res) => res.json(shown(req)));

app.post("/api/cart", (req, res) => {
  const product = req.body?.product;
  if (!isProduct(product)) return res.status(422).json({ error: "no such product" });
  res.status(201).json({ product, count: add(req.session, product) });
});

app.delete("/api/cart/:product", (req, res) => {
  remove(req.session, req.params.product);
  res.json(shown(req));
});

app.put("/api/note", (req, res) => {
  req.session.note = req.body;
  res.json({ octets: Buffer.byteLength(JSON.stringify(req.body)) });
});

app.post("/api/login", (req, res, next) => {
  if (!mayLogIn(req.body)) return res.status(401).json({ error: "wrong name or password" });
  logIn(req, req.body.name, (error) => (error ? next(error) : res.json(shown(req))));
});

app.post("/api/logout", (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.json({ user: null })));
});

// The gateway gives each instance it starts SOCKET or PORT.
const { SOCKET, PORT = "3000" } = process.env;
const server = app.listen(SOCKET ? { path: SOCKET } : { host: "127.0.0.1", port: Number(PORT) }, (error) => {
  if (error) throw error;
  console.error(`express-cart: listening on ${SOCKET ?? server.address().port}`);
});
// Longer than the gateway keeps idle connections, so that it is the one to close them.
server.keepAliveTimeout = 75_000;
process.on("SIGTERM", () => server.close());
process.on("SIGINT", () => server.close());
