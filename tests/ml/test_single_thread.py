from threadpoolctl import threadpool_info

from ml.single_thread import SingleThreaded


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_the_last_of_several_gives_back_what_was_before() -> None:
    single_threaded = SingleThreaded()
    before = blas_threads()

    with single_threaded:
        with single_threaded:
            within = blas_threads()
        still_within = blas_threads()

    assert within == still_within == {1}
    assert blas_threads() == before
    assert single_threaded._limits is None
