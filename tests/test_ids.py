"""Ids: in the order of time, and none twice, whichever thread or process makes them."""

import os
import threading

from pushcenter import ids


def test_ids_of_one_process_sort_by_time_and_are_all_different() -> None:
    made = [ids.uuid7() for _ in range(2 * ids.STOCK)]
    assert all(each.version == 7 and each.variant == "specified in RFC 4122" for each in made)
    # 12 bits of a millisecond are a quarter of a microsecond: what is quicker falls together.
    times = [each.int >> 64 for each in made]
    assert times == sorted(times)
    assert len({each.int & (1 << 62) - 1 for each in made}) == len(made)


def test_threads_share_no_chance() -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend(ids.uuid7_hex() for _ in range(5_000))) for _ in range(6)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len({each[16:] for each in made}) == 30_000


def test_a_child_has_chance_of_its_own() -> None:
    ids.uuid7_hex()  # there is some in stock
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, ids.uuid7_hex().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 32).decode()[16:] != ids.uuid7_hex()[16:]
