"""Statistics of windows: what they tell, and what they are blind to."""

import torch

from trace_lit.encoder.statistics import (
    FEATURES,
    GAINS,
    PEER_FEATURES,
    WindowFeatures,
    WindowStatistics,
    channel_statistics,
)

LEVEL, LOW, HIGH, CHANGE = 0, 1, 2, 4


def of(values: torch.Tensor, observed: torch.Tensor | None = None, mean: float = 10.0, deviation: float = 2.0):
    observed = torch.ones_like(values, dtype=torch.bool) if observed is None else observed
    usual = torch.full(values.shape[:2], mean), torch.full(values.shape[:2], deviation)
    return channel_statistics(torch.where(observed, values, 0.0), observed, *usual)


def test_they_stand_in_deviations_from_what_is_usual():
    rising = torch.linspace(8, 14, 25).expand(1, 1, 25)
    found = of(rising)[0, 0]
    assert found.shape == (FEATURES,)
    torch.testing.assert_close(found[[LEVEL, LOW, HIGH]], torch.tensor([0.5, -1.0, 2.0]))
    assert 2.0 < found[CHANGE] < 2.5
    torch.testing.assert_close(of(rising.flip(-1))[0, 0, CHANGE], -found[CHANGE])


def test_the_unit_of_a_channel_does_not_matter():
    values = torch.randn(2, 3, 24) * 3 + 10
    scaled = of(values * 1.8 + 32, mean=10 * 1.8 + 32, deviation=2 * 1.8)
    torch.testing.assert_close(scaled[..., :-1], of(values)[..., :-1], atol=1e-3, rtol=1e-3)


def test_missing_values_count_for_nothing_and_a_channel_without_any_is_zero():
    values = torch.full((1, 2, 24), 12.0)
    observed = torch.ones(1, 2, 24, dtype=torch.bool)
    observed[0, 0, ::2] = False
    observed[0, 1] = False
    found = of(values, observed)
    torch.testing.assert_close(found[0, 0, LEVEL], torch.tensor(1.0))
    assert (found[0, 1] == 0).all()
    assert of(values[..., :3], observed[..., :3]).isfinite().all()


def test_a_window_that_is_padded_on_the_left_is_measured_by_its_own_steps():
    torch.manual_seed(0)
    for steps in (1, 3, 24):
        values = torch.randn(2, 3, steps) * 2 + 10
        observed = torch.rand(2, 3, steps) > 0.2
        padded = [torch.nn.functional.pad(own, (41, 0)) for own in (values, observed)]
        usual = torch.full((2, 3), 10.0), torch.full((2, 3), 2.0)
        longer = (torch.randn(2, 3, steps + 41) + 10, torch.ones(2, 3, steps + 41, dtype=torch.bool))
        beside = channel_statistics(
            *(torch.stack([own, other], 1).flatten(0, 1) for own, other in zip(padded, longer, strict=True)),
            *(own.repeat(2, 1) for own in usual),
            length=torch.tensor([steps, steps + 41]).repeat(2),
        )
        torch.testing.assert_close(beside[::2], of(values, observed))
        torch.testing.assert_close(beside[1::2], of(*longer))


def test_pairs_of_channels_enter_the_whole_and_padding_channels_do_not():
    torch.manual_seed(0)
    module = WindowStatistics(16, 0.0).eval()
    values = torch.randn(4, 3, 24)
    observed = torch.ones_like(values, dtype=torch.bool)
    identities, usual = torch.randn(4, 3, 16), torch.ones(4, 3)

    def stated(*given: torch.Tensor, named: torch.Tensor = identities) -> tuple[torch.Tensor, torch.Tensor]:
        return module(WindowFeatures.of(*given), named)

    whole, channels = stated(values, observed, 0 * usual, usual)
    opposed = values.clone()
    opposed[:, 1] = -opposed[:, 1]  # its correlations turn round
    assert ((stated(opposed, observed, 0 * usual, usual)[0] - whole).norm(dim=1) > 1e-4).all()

    def padded(field: torch.Tensor, filler: float = 0.0) -> torch.Tensor:
        return torch.cat([field, torch.full_like(field[:, :1], filler)], dim=1)

    given = padded(values), padded(observed), padded(0 * usual), padded(usual, 1.0)
    more = stated(*given, named=padded(identities))
    torch.testing.assert_close(more[0], whole)
    torch.testing.assert_close(more[1][:, :3], channels)
    one = stated(values[:, :1], observed[:, :1], 0 * usual[:, :1], usual[:, :1], named=identities[:, :1])
    assert one[0].isfinite().all()


def test_a_channel_is_compared_with_the_others_of_its_unit() -> None:
    torch.manual_seed(0)
    usual = torch.zeros(1, 4), torch.ones(1, 4)
    unit = torch.tensor([[1, 1, 2, -1]])
    values = torch.randn(1, 4, 24)
    values[0, 0] = values[0, 1] + 0.1  # a little above its only peer, on the same course
    observed = torch.ones_like(values, dtype=torch.bool)

    def compared(values: torch.Tensor) -> torch.Tensor:
        return WindowFeatures.of(values, observed, *usual, unit=unit).channels[0, :, FEATURES:]

    found = compared(values)
    assert found.shape == (4, PEER_FEATURES)
    gains = torch.tensor(GAINS)
    torch.testing.assert_close(found[0, [0, 3, 6]], torch.tanh(0.1 * gains))  # by level
    torch.testing.assert_close(found[0, [2, 5, 8]], torch.tanh(0.1 * gains))  # by the means as they are
    torch.testing.assert_close(found[1, [0, 3, 6]], -found[0, [0, 3, 6]])
    torch.testing.assert_close(found[0, -2:], torch.ones(2), atol=1e-3, rtol=0)
    assert (found[2:] == 0).all()  # alone of its unit, and without a unit
    values[0, 2:] = 100.0
    torch.testing.assert_close(compared(values), found)


def test_a_peer_that_is_not_there_is_none() -> None:
    values = torch.randn(1, 2, 24)
    observed = torch.ones_like(values, dtype=torch.bool)
    observed[0, 1] = False
    values = torch.where(observed, values, 0.0)
    found = WindowFeatures.of(values, observed, torch.zeros(1, 2), torch.ones(1, 2), unit=torch.zeros(1, 2).long())
    assert (found.channels[..., FEATURES:] == 0).all()
    assert WindowFeatures.numbers(2, peers=True) == found.channels.numel() + found.pairs.numel()
