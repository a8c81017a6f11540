"""What the process keeps, by placement, and how sessions move."""
import unittest
import warnings

from flask import jsonify, session

from stateway_session._memory import Memory

from asking import ask, bound, make, stored, whole

BIG = "x" * 2000


class Placements(unittest.TestCase):
    def setUp(self):
        self.time = 0

    def make(self):
        client = make()
        interface = client.application.session_interface
        interface.memory = Memory(1 << 20, 3600, now=lambda: self.time)
        return client

    def test_hybrid_what_the_process_holds_need_not_come_again(self):
        client = make()
        first = ask(client, "/read", stored({"big": BIG}, 3))
        self.assertRegex(first.hold, r"^[\w-]{22}$")
        again = ask(client, "/set/n", stored(version=3, held=first.hold))
        self.assertEqual((again.patches, again.hold), ([{"n": 1}], first.hold))
        got = ask(client, "/read", stored(version=4, held=first.hold))
        self.assertEqual(got.json(), {"big": BIG, "n": 1})

    def test_hybrid_what_it_does_not_hold_it_asks_for_before_anything_happens(self):
        client = make()
        hold = ask(client, "/read", stored({"big": BIG}, 3)).hold
        for headers in (stored(version=4, held=hold), stored(version=3, held="another"),
                        stored(version=3, held=hold, id_="s2")):
            got = ask(client, "/set/a", headers)
            self.assertEqual((got.op, got.patches, got.hold, got.body), ("need", None, None, ""))
        self.assertEqual(client.application.ran, 1)

    def test_hybrid_of_two_that_may_have_made_a_version_only_the_first_says_that_it_is_held(self):
        client = make()
        a = ask(client, "/set/a", stored({"big": BIG}))
        b = ask(client, "/set/b", stored({"big": BIG}))
        self.assertEqual((bool(a.hold), b.hold), (True, None))
        self.assertEqual(ask(client, "/read", stored(version=2, held=a.hold)).json(), {"big": BIG, "a": 1})
        # The gateway refused a's patch and took b's: now it sends what version 2 is.
        ask(client, "/read", stored({"big": BIG, "b": 1}, 2))
        self.assertEqual(ask(client, "/read", stored(version=2, held=a.hold)).json(), {"big": BIG, "b": 1})

    def test_hybrid_small_documents_and_ended_ones_are_not_held(self):
        client = make()
        self.assertIsNone(ask(client, "/read", stored({"small": 1})).hold)
        hold = ask(client, "/read", stored({"big": BIG})).hold
        self.assertIsNone(ask(client, "/do/destroy", stored(version=1, held=hold)).hold)
        self.assertEqual(ask(client, "/read", stored(version=1, held=hold)).op, "need")
        self.assertIsNone(ask(make(hold_octets=0), "/read", stored({"big": BIG})).hold)

    def test_instance_documents_stay_in_memory_and_the_gateway_hears_of_none(self):
        client = make()
        for got in (ask(client, "/set/a", bound()), ask(client, "/set/b", bound())):
            self.assertEqual((got.patches, got.op, got.hold), (None, None, None))
        self.assertEqual(ask(client, "/read", bound()).json(), {"a": 1, "b": 1})
        self.assertEqual(ask(client, "/read", bound("s2")).json(), {})
        self.assertEqual(ask(client, "/do/clear?user=ann", bound()).op, "renew")
        self.assertEqual(ask(client, "/read", bound()).json(), {"user": "ann"})
        self.assertEqual(ask(client, "/do/clear", bound()).op, "end")
        self.assertEqual(ask(client, "/read", bound()).json(), {})

    def test_instance_parallel_requests_have_objects_of_their_own_and_both_changes_stay(self):
        client = make()

        @client.application.get("/nested")
        def nested():
            session["a"] = 1
            other = ask(client.application.test_client(), "/set/n?value=2", bound())
            return jsonify(mine=dict(session), other=other.json())

        ask(client, "/set/n", bound())
        got = ask(client, "/nested", bound()).json()
        self.assertEqual(got, {"mine": {"n": 1, "a": 1}, "other": {"n": 2}})
        self.assertEqual(ask(client, "/read", bound()).json(), {"n": 2, "a": 1})

    def test_instance_memory_is_bounded(self):
        client = make(memory_octets=1000)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            for i in range(4):
                ask(client, "/set/a", bound(f"s{i}"))
        self.assertEqual(ask(client, "/read", bound("s0")).json(), {})
        self.assertEqual(ask(client, "/read", bound("s3")).json(), {"a": 1})
        self.assertEqual(len(warned), 1)
        idle = make(memory_idle=0)
        ask(idle, "/set/a", bound())
        self.assertEqual(ask(idle, "/read", bound()).json(), {})

    def test_instance_a_session_that_does_not_fit_is_refused_and_nobody_goes_for_it(self):
        client = make(memory_octets=2000)
        for id_ in ("s1", "s2"):
            ask(client, "/set/a", bound(id_))
        self.assertEqual(ask(client, f"/set/{'k' * 2000}", bound("s2")).status, 500)
        for id_ in ("s1", "s2"):
            self.assertEqual(ask(client, "/read", bound(id_)).json(), {"a": 1})

    def test_instance_many_that_had_to_go_are_warned_of_too(self):
        client = make(memory_octets=2000)
        for id_ in ("s1", "s2"):
            ask(client, "/set/a", bound(id_))
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            ask(client, f"/set/{'k' * 1400}", bound("s3"))
        self.assertEqual(len(warned), 1)

    def test_hybrid_what_took_too_long_is_not_held(self):
        client = make()

        @client.application.get("/slow/<float:seconds>")
        def slow(seconds):
            session.began -= seconds
            return ""

        self.assertTrue(ask(client, "/slow/50.0", stored({"big": BIG})).hold)
        self.assertIsNone(ask(client, "/slow/61.0", stored({"big": BIG}, id_="s2")).hold)

    def test_moving_what_an_exchange_of_the_old_placement_still_changes_is_not_lost(self):
        client = self.make()

        def at(document, version):
            got = ask(client.application.test_client(), "/read", stored(document, version))
            return got.json(), got.patches

        def late(key, *meanwhile):
            """Changes `key` in an exchange that began before `meanwhile`."""
            client.application.meanwhile = meanwhile
            self.assertIsNone(ask(client, f"/late/{key}", bound()).patches)

        @client.application.get("/late/<key>")
        def change(key):
            for step in client.application.meanwhile:
                step()
            session[key] = 1
            return ""

        def see(wanted, document, version):
            return lambda: self.assertEqual(at(document, version), wanted)

        ask(client, "/set/tea", bound())
        late("one", see(({"tea": 1}, [{"tea": 1}]), {}, 0))
        # It did not arrive; now it goes as a whole.
        gone = {"tea": 1, "one": 1}
        late("two", see((gone, [gone]), {}, 0), see((gone, None), gone, 1))
        # The session has gone on; what is sent is the difference, until a version shows that it arrived.
        for _ in range(2):
            see(({"tea": 2, "two": 1}, [{"two": 1}]), {"tea": 2}, 2)()
        for _ in range(2):
            see(({"tea": 2}, None), {"tea": 2}, 3)()
            self.time += 60
        self.assertEqual(ask(client, "/read", bound()).json(), {}, "forgotten")

    def test_moving_a_session_that_was_new_when_the_exchange_began(self):
        client = make()

        @client.application.get("/late")
        def late():
            ask(client.application.test_client(), "/read", stored({}, 0))
            session["late"] = 1
            return ""

        ask(client, "/late", bound())
        login = ask(client, "/do/clear?user=ann", stored({"n": 1}, 1))
        self.assertEqual(login.patches, whole({"user": "ann"}))
        self.assertEqual(ask(client, "/read", stored({"n": 1}, 1)).patches, [{"late": 1}])
        self.assertIsNone(ask(client, "/read", stored({"user": "ann"}, 2)).patches)

    def test_instance_what_began_before_a_log_in_does_not_write_into_the_session_after_it(self):
        client = make()

        @client.application.get("/late")
        def late():
            ask(client.application.test_client(), "/do/clear?user=ann", bound())
            session["late"] = 1
            return ""

        ask(client, "/set/a", bound())
        self.assertEqual(ask(client, "/late", bound()).status, 500)
        self.assertEqual(ask(client, "/read", bound()).json(), {"user": "ann"})

    def test_moving_a_session_goes_to_the_gateway_and_is_forgotten_once_it_is_there(self):
        client = self.make()
        ask(client, "/set/a", bound())
        moved = ask(client, "/read", stored({}, 0))
        self.assertEqual((moved.json(), moved.patches), ({"a": 1}, [{"a": 1}]))
        again = ask(client, "/set/b", stored({}, 0))
        self.assertEqual(again.patches, [{"a": 1, "b": 1}], "the first did not arrive")
        for self.time, left in [(0, {"a": 1, "b": 1}), (59, {"a": 1, "b": 1}), (60, {})]:
            self.assertIsNone(ask(client, "/read", stored({"a": 1, "b": 1}, 1)).patches)
            self.assertEqual(ask(client, "/read", bound()).json(), left, "requests may be under way")


if __name__ == "__main__":
    unittest.main()
