#!/usr/bin/env python3
"""The example shops on every placement, behind the real gateway: cart, log-in, large documents, switching.

In the environment: STATEWAY_BINARY; SHOP_COMMAND, a JSON array: the program and its arguments; and, where the
shop also runs without the gateway, SHOP_OWN_SESSIONS: the SESSION_MODULE to run it with, and perhaps `:` and
the only test that is for it; SHOP_WITHOUT names a test that is not for the shop.
"""
import concurrent.futures
import json
import os
import pathlib
import sys
import tempfile
import threading
import time
import unittest

from shop_site import Browser, Program, Site

PLACEMENTS = ["client", "store", "hybrid", "instance"]
# Each is gone through by reloads; no session may be lost on the way.
JOURNEYS = [["instance", "store", "client"], ["instance", "client"], ["instance", "hybrid", "store"],
            ["client", "store", "hybrid", "client", "hybrid", "store", "client"]]
LARGE = "é" * 50_000
NOTES = [None, "", "Ring twice", "Grüße 🍵 \u2028 \u007f \"\\", 0, -1.5, 1e300, 2 ** 53, True, [], {},
         [None, [None]], {"a": None}, {"a": {"b": None, "c": [None, {"d": None}]}},
         {"a/b": {"~": None, "": 1}}]

BINARY = os.environ["STATEWAY_BINARY"]
COMMAND = json.loads(os.environ["SHOP_COMMAND"])
OWN_SESSIONS, _, ONLY_TEST = os.environ.get("SHOP_OWN_SESSIONS", "").partition(":")
WITHOUT = os.environ.get("SHOP_WITHOUT")
PARALLEL = 20
DOCUMENT_MAX = 512 * 1024


class Carts:
    """What tests do with a shop."""

    def session(self, browser):
        answer = browser.get("/api/session")
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()

    def add(self, browser, product):
        answer = browser.post("/api/cart", {"product": product})
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json()["count"]

    def add_at_once(self, browser, products, looks=0):
        """Each with the cookie that the client has now, and so many beside them that change nothing."""
        browsers = [browser.copy() for _ in products]
        ready = threading.Barrier(len(products))

        def add(browser, product):
            ready.wait()
            began = time.monotonic()
            return self.add(browser, product), began, time.monotonic()

        with concurrent.futures.ThreadPoolExecutor(len(products) + looks) as pool:
            looking = [pool.submit(self.session, browser.copy()) for _ in range(looks)]
            counts, began, ended = zip(*pool.map(add, browsers, products))
            for look in looking:
                look.result()
        self.assertEqual(counts, (1,) * len(products))
        self.assertLess(sorted(began)[1], min(ended), "no two of them ran at the same time")
        browser.cookies = browsers[-1].cookies


class Shop(Carts):
    """What holds wherever sessions live. `browser()` gives a new client."""

    def test_a_cart_and_a_log_in_as_json(self):
        a, b = self.browser(), self.browser()
        self.assertEqual(self.session(a), {"user": None, "cart": {}})
        self.assertEqual([self.add(a, "Tea"), self.add(a, "Tea"), self.add(a, "Milk")], [1, 2, 1])
        self.assertEqual(a.post("/api/login", {"name": "ann", "password": "no"}).status, 401)
        before = a.copy()
        self.assertEqual(a.post("/api/login", {"name": "ann", "password": "tea"}).json()["user"], "ann")
        self.assertNotEqual(a.cookies, before.cookies)
        self.assertEqual(self.session(a), {"user": "ann", "cart": {"Tea": 2, "Milk": 1}})
        self.assertEqual(self.session(before)["user"], None, "the old cookie opens nothing")
        self.assertEqual(a.ask("DELETE", "/api/cart/Tea").json()["cart"], {"Milk": 1})
        self.assertEqual(self.session(b), {"user": None, "cart": {}})
        after = a.copy()
        self.assertEqual(a.post("/api/logout").status, 200)
        self.assertEqual(self.session(a), {"user": None, "cart": {}})
        self.assertEqual(self.session(after), {"user": None, "cart": {}}, "it ended for all who know it")

    def test_a_cart_and_a_log_in_as_forms(self):
        a = self.browser()

        def send(path, form):
            answer = a.post(path, form=form)
            self.assertEqual((answer.status, answer.headers["Location"]), (303, "/"))
            return a.get("/").body.decode()

        self.assertIn("Crème brûlée", send("/cart", {"product": "Crème brûlée"}))
        self.assertIn("not right", send("/login", {"name": "ann", "password": "no"}))
        self.assertNotIn("not right", a.get("/").body.decode())
        self.assertIn("Hello, ann", send("/login", {"name": "ann", "password": "tea"}))
        self.assertIn("&lt;b&gt;", send("/note", {"note": "<b>"}))
        self.assertIn("Nothing in it", send("/cart/remove", {"product": "Crème brûlée"}))
        self.assertIn("Try ann", send("/logout", {}))

    def test_whatever_json_can_say_is_kept(self):
        a = self.browser()
        for note in NOTES:
            self.assertEqual(a.ask("PUT", "/api/note", note).status, 200)
            found = self.session(a)
            self.assertIn("note", found)
            self.assertEqual(json.dumps(found["note"], sort_keys=True), json.dumps(note, sort_keys=True))

    def test_large_documents(self):
        a = self.browser()
        self.add(a, "Tea")
        self.assertEqual(a.ask("PUT", "/api/note", {"text": LARGE, "none": None}).status, 200)
        wanted = {"user": None, "cart": {"Tea": 1}, "note": {"text": LARGE, "none": None}}
        # Both instances, where any may be asked next: fifty times the same one would be no accident.
        wanderer = getattr(self, "placement", None) in ("client", "store")
        met = set()
        for i in range(50):
            answer = a.get("/api/session")
            self.assertEqual(answer.json(), wanted)
            met.add(answer.headers["Stateway-Instance"])
            if i > 0 and (len(met) == 2 or not wanderer):
                break
        self.assertEqual(len(met) if wanderer else 2, 2)
        self.add(a, "Milk")
        self.assertEqual(a.ask("PUT", "/api/note", "short").status, 200)
        self.assertEqual(self.session(a), {"user": None, "cart": {"Tea": 1, "Milk": 1}, "note": "short"})


class AtAGateway(Shop):
    placement = None

    @classmethod
    def setUpClass(cls):
        cls.site = Site(BINARY, COMMAND, cls.placement, {}, more=f'document_max = "{DOCUMENT_MAX}"')

    @classmethod
    def tearDownClass(cls):
        cls.site.stop()

    def browser(self):
        return self.site.browser()

    def test_parallel_requests_of_one_session(self):
        a = self.browser()
        self.add(a, "first")
        products = [f"p{i}" for i in range(PARALLEL)]
        self.add_at_once(a, products)
        self.assertEqual(set(self.session(a)["cart"]), {"first", *products})

    def test_hybrid_spares_documents(self):
        a = self.browser()
        self.assertEqual(a.ask("PUT", "/api/note", {"text": LARGE}).status, 200)
        before = self.counters()
        for i in range(10):
            self.add(a, f"p{i}")
            self.assertEqual(self.session(a)["note"], {"text": LARGE})
        after = self.counters()
        spared = after["documents_spared"] - before["documents_spared"]
        # Now and then it is another instance's turn, which gets the document.
        self.assertTrue(spared > 5 if self.placement == "hybrid" else spared == 0, spared)
        self.assertEqual(after["documents_needed"], before["documents_needed"])

    def counters(self):
        return self.site.admin("GET", "/v1/status").json()["gateway"]

    def test_too_large_a_document_is_refused_and_nothing_is_lost(self):
        a = self.browser()
        self.add(a, "Tea")
        if self.placement != "instance":
            answer = a.ask("PUT", "/api/note", "x" * DOCUMENT_MAX)
            self.assertEqual((answer.status, answer.json()["title"]), (500, "The session could not be saved"))
        self.assertEqual(self.session(a), {"user": None, "cart": {"Tea": 1}})


class InTheProcess(Shop):
    """Without the gateway: the framework's own sessions, from the same source."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="stateway-")
        path = pathlib.Path(cls.folder.name)
        environment = {"PORT": "0", "SESSION_MODULE": OWN_SESSIONS}
        cls.program = Program(COMMAND, path / "log", environment)
        cls.program.wait_until("the start", lambda: cls.listening() is not None)
        cls.port = cls.listening().rpartition(" ")[2]

    @classmethod
    def tearDownClass(cls):
        cls.program.stop()
        cls.folder.cleanup()

    @classmethod
    def listening(cls):
        return next((line for line in cls.program.lines() if "listening on" in line), None)

    def browser(self):
        return Browser(f"127.0.0.1:{self.port}")


class Switching(Carts, unittest.TestCase):
    def test_no_session_is_lost_on_the_way(self):
        for journey in JOURNEYS:
            with self.subTest(journey=" → ".join(journey)):
                self.travel(journey)

    def travel(self, journey):
        site = Site(BINARY, COMMAND, journey[0], {})
        try:
            clients = [site.browser() for _ in range(10)]
            wanted = [{} for _ in clients]
            for step, placement in enumerate(journey):
                if step > 0:
                    site.switch(placement)
                for i, client in enumerate(clients):
                    # Some change something as they move, others only look.
                    if step == 0 or i % 2 == 0:
                        product = f"of {placement} {step} {i}"
                        self.assertEqual(client.post("/api/cart", {"product": product}).status, 201)
                        wanted[i][product] = 1
                    if step == 0 and i % 3 == 0:
                        who = {"name": "ann", "password": "tea"}
                        self.assertEqual(client.post("/api/login", who).status, 200)
                    if step == 0 and i == 5:
                        self.assertEqual(client.ask("PUT", "/api/note", {"text": LARGE}).status, 200)
                    if i in (8, 9):  # many at once, as a page with all it loads: on the way, or as the first
                        products = [f"at once {step} {n}" for n in range(PARALLEL)]
                        wanted[i].update(dict.fromkeys(products, 1))
                        self.add_at_once(client, products, looks=PARALLEL // 2)
                    for _ in range(2):
                        found = client.get("/api/session").json()
                        self.assertEqual(found["cart"], wanted[i], f"client {i} on {placement}")
                        self.assertEqual(found["user"], "ann" if i % 3 == 0 else None)
                        self.assertEqual(found.get("note"), {"text": LARGE} if i == 5 else None)
        finally:
            site.stop()


    def test_what_ends_after_the_session_left_may_yet_arrive(self):
        for placement in ("store", "client"):
            with self.subTest(placement=placement):
                site = Site(BINARY, COMMAND, "instance", {})
                try:
                    self.leave(site, placement)
                finally:
                    site.stop()

    def leave(self, site, placement):
        client = site.browser()
        self.add(client, "Tea")
        slow = client.copy().begin("POST", "/api/cart", {"product": "Bread"})
        site.gateway.wait_until("the request's arrival", lambda: site.active() == 1)
        site.switch(placement)
        for _ in range(2):  # it leaves, and is seen where it went
            self.assertEqual(self.session(client)["cart"], {"Tea": 1})
        answer = slow.end()
        # Nobody promises it. But its process sends it along when it gets an exchange of the session.
        self.assertEqual(answer.status, 502)
        site.gateway.wait_until("an exchange there",
                                lambda: self.session(client)["cart"] == {"Tea": 1, "Bread": 1})


def load_tests(loader, _, __):
    suite = unittest.TestSuite()
    for placement in PLACEMENTS:
        members = {"placement": placement, **({WITHOUT: None} if WITHOUT else {})}
        case = type(f"On_{placement}", (AtAGateway, unittest.TestCase), members)
        suite.addTests(loader.loadTestsFromTestCase(case))
    if OWN_SESSIONS:
        case = type("InTheProcess", (InTheProcess, unittest.TestCase), {})
        suite.addTests([case(ONLY_TEST)] if ONLY_TEST else loader.loadTestsFromTestCase(case))
    suite.addTests(loader.loadTestsFromTestCase(Switching))
    return suite


if __name__ == "__main__":
    sys.exit(unittest.main())
