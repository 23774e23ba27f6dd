//! Laws that the market's equations keep for every input.

use microgrid_agents::{
    ids::ActorId,
    market::{
        aggregate::{Aggregate, Posted, Sums, private_net_utility, served_share},
        balance::{Account, Balance, SlotFacts, SlotTerms, balance, peer_to_grid},
        best_response::best_response_step,
        choice_set::ChoiceSet,
        demand::{Buyer, Demand},
        imitation::imitation_step,
        pricing::{PriceBand, next_price},
        replicator::replicator_step,
        role::Role,
        settlement::{Division, Party, Trade, Wish},
        shares::explore,
        storage::StorageLimits,
    },
    streams::{Purpose, stream},
    units::{Energy, Money},
};
use proptest::{collection::vec, prelude::*};

/// What choices over all sellers add up to.
fn aggregate<'a>(
    surplus: &[f64],
    prices: &[f64],
    alpha: f64,
    posted: impl IntoIterator<Item = Posted<'a>>,
) -> Aggregate {
    let mut sums = Sums::new(ChoiceSet::All, surplus.len(), alpha, 0.0);
    sums.add(posted);
    sums.aggregate(surplus, prices, PriceBand { floor: 0.45, ceiling: 0.85 })
}

fn demands() -> impl Strategy<Value = Demand> {
    prop_oneof![Just(Demand::Elastic), Just(Demand::Firm)]
}

fn buyers() -> impl Strategy<Value = Buyer> {
    (0.0..6.0, 0.0..4.0, 0.5..5.0).prop_map(|(need, generation, preference)| Buyer { need, generation, preference })
}

/// Shares that sum to 1, from any weights.
fn shares(sellers: usize) -> impl Strategy<Value = Vec<f64>> {
    vec(0.001..1.0, sellers).prop_map(|weights| {
        let total: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / total).collect()
    })
}

/// Moves shares by the fitness of the sellers.
type Rule<'a> = &'a dyn Fn(&mut [f64], &[f64]);

/// Where everybody's shares are the same, imitation is replicator dynamics (15) by chance.
#[test]
fn the_expected_imitation_is_a_replicator_step() {
    let mut random = stream(2023, ActorId(1), Purpose::Behaviour);
    let (shares, fitness, step, draws) = ([0.5, 0.3, 0.15, 0.05], [1.0, 3.0, 2.0, 2.5], 0.02, 100_000);
    let mut sums = [0.0; 4];
    for _ in 0..draws {
        let mut imitated = shares;
        imitation_step(&mut imitated, &shares, &fitness, step, &mut random);
        sums.iter_mut().zip(imitated).for_each(|(sum, share)| *sum += share);
    }
    let mut expected = shares;
    replicator_step(&mut expected, &fitness, step);
    for ((sum, expected), before) in sums.iter().zip(expected).zip(shares) {
        let (found, expected) = (sum / f64::from(draws) - before, expected - before);
        assert!((found - expected).abs() < 1e-4, "moves by {found} instead of {expected}");
    }
}

proptest! {
    #[test]
    fn shares_sum_to_one_and_stay_in_the_unit_interval(
        (start, rounds) in (1..12_usize).prop_flat_map(|n| (shares(n), vec(vec(-1e3..1e3, n), 1..30))),
        exponent in -6.0..12.0,
    ) {
        let mut shares = start;
        for fitness in &rounds {
            let before = shares.clone();
            let largest = replicator_step(&mut shares, fitness, f64::powf(10.0, exponent));
            prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            for (after, before) in shares.iter().zip(&before) {
                prop_assert!((0.0..=1.0 + 1e-9).contains(after));
                prop_assert!(*after >= before / 2.0 - 1e-12, "cut by more than half");
                prop_assert!((after - before).abs() <= largest + 1e-12);
            }
        }
    }

    #[test]
    fn shares_rest_where_all_sellers_are_worth_the_same(start in (1..12_usize).prop_flat_map(shares), worth in -1e3..1e3) {
        let mut shares = start.clone();
        let fitness = vec![worth; start.len()];
        replicator_step(&mut shares, &fitness, 0.1);
        for (after, before) in shares.iter().zip(&start) {
            prop_assert!((after - before).abs() < 1e-12);
        }
    }

    #[test]
    fn every_way_to_learn_keeps_the_sum_of_shares_and_the_unit_interval(
        (start, others, rounds) in (1..12_usize).prop_flat_map(|n| (shares(n), shares(n), vec(vec(-1e3..1e3, n), 1..20))),
        exponent in -6.0..12.0, fraction in 0.0..=1.0, part in 0.0..1.0, seed in any::<u64>(),
    ) {
        let size = f64::powf(10.0, exponent);
        let mut random = stream(seed, ActorId(1), Purpose::Behaviour);
        let mut learners = [start.clone(), start.clone(), start];
        for fitness in &rounds {
            let [responds, imitates, explores] = &mut learners;
            let before = imitates.clone();
            best_response_step(responds, fitness, size, fraction);
            imitation_step(imitates, &others, fitness, size, &mut random);
            explore(explores, part);
            for (after, before) in imitates.iter().zip(&before) {
                prop_assert!(*after >= before / 2.0 - 1e-12, "cut by more than half");
            }
            for shares in &learners {
                prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                prop_assert!(shares.iter().all(|share| (0.0..=1.0 + 1e-9).contains(share)));
            }
        }
    }

    #[test]
    fn no_way_to_learn_knows_sellers_by_their_numbers(
        (start, fitness) in (1..12_usize).prop_flat_map(|n| (shares(n), vec(-10.0..10.0, n))),
        sharpness in 0.0..10.0, fraction in 0.0..=1.0, part in 0.0..1.0, shift in 0..12_usize,
    ) {
        let renumber = |values: &[f64]| {
            let mut values = values.to_vec();
            values.rotate_left(shift % start.len());
            values
        };
        let rules: [Rule<'_>; 3] = [
            &|shares, fitness| { replicator_step(shares, fitness, sharpness); },
            &|shares, fitness| best_response_step(shares, fitness, sharpness, fraction),
            &|shares, _| explore(shares, part),
        ];
        for rule in rules {
            let (mut shares, mut renumbered) = (start.clone(), renumber(&start));
            rule(&mut shares, &fitness);
            rule(&mut renumbered, &renumber(&fitness));
            for (one, other) in renumber(&shares).iter().zip(&renumbered) {
                prop_assert!((one - other).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn the_logit_choice_is_where_smoothed_best_response_rests(
        fitness in vec(-10.0..10.0, 1..12), sharpness in 0.0..10.0, fraction in 0.0..=1.0,
    ) {
        let mut shares = vec![0.0; fitness.len()];
        best_response_step(&mut shares, &fitness, sharpness, 1.0);
        let rest = shares.clone();
        best_response_step(&mut shares, &fitness, sharpness, fraction);
        for (after, before) in shares.iter().zip(&rest) {
            prop_assert!((after - before).abs() < 1e-12);
        }
        for (a, b) in [(0, fitness.len() - 1), (fitness.len() / 2, 0)] {
            // Odds that are too small to hold say nothing.
            if rest[a] > 1e-100 && rest[b] > 1e-100 {
                let expected = sharpness * (fitness[a] - fitness[b]);
                prop_assert!(((rest[a] / rest[b]).ln() - expected).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn whoever_imitates_rests_where_all_sellers_are_worth_the_same(
        start in (1..12_usize).prop_flat_map(shares), worth in -1e3..1e3, seed in any::<u64>(),
    ) {
        let mut shares = start.clone();
        let mut random = stream(seed, ActorId(1), Purpose::Behaviour);
        imitation_step(&mut shares, &start, &vec![worth; start.len()], 1.0, &mut random);
        prop_assert_eq!(shares, start);
    }

    #[test]
    fn optimal_purchase_maximises_welfare(
        buyer in buyers(), price in 0.05..5.0, alpha in 0.1..1.0, demand in demands(),
    ) {
        let best = buyer.optimal_purchase(price, alpha, demand);
        let most = match demand {
            Demand::Elastic => 1.5 * buyer.preference / alpha,
            Demand::Firm => buyer.need,
        };
        prop_assert!(best >= 0.0 && best <= most);
        let welfare = buyer.welfare(best, price, alpha);
        for step in 0..=2000 {
            let x = most * f64::from(step) / 2000.0;
            prop_assert!(buyer.welfare(x, price, alpha) <= welfare + 1e-9, "{x} is better than {best}");
        }
    }

    #[test]
    fn excess_demand_never_lowers_a_price_and_excess_supply_never_raises_it(
        price in 0.45..0.85, excess in -10.0..10.0, step in 0.0..10.0, ramp in 0.0..1.0,
    ) {
        let band = PriceBand { floor: 0.45, ceiling: 0.85 };
        let next = next_price(price, excess, step, band, ramp);
        prop_assert!(band.contains(next));
        prop_assert!((next - price) * excess >= 0.0);
        prop_assert!((next - price).abs() <= ramp * price + 1e-12);
    }

    /// (11) as printed and in its general form are one where purchases are the unconstrained maximisers.
    #[test]
    fn both_forms_of_net_utility_agree_at_elastic_demand(
        buyers in vec(buyers(), 1..8), price in 0.1..3.0, surplus in 0.1..20.0,
    ) {
        let alpha = 0.4;
        let purchases: Vec<_> = buyers.iter().map(|b| b.optimal_purchase(price, alpha, Demand::Elastic)).collect();
        let posted = buyers.iter().zip(&purchases).map(|(buyer, purchase)| {
            Posted { buyer, known: None, shares: &[1.0], purchases: std::slice::from_ref(purchase), responsive: 1.0 }
        });
        let sums = aggregate(&[surplus], &[price], alpha, posted);
        let t = served_share(surplus, sums.demand[0]);
        let squares: f64 = purchases.iter().map(|x| alpha * x * x).sum();
        prop_assert!((sums.net_utility[0] - ((t - t * t / 2.0) * squares + sums.constant)).abs() < 1e-9);
        let terms: f64 =
            buyers.iter().zip(&purchases).map(|(buyer, &x)| private_net_utility(buyer, x, t, price, alpha)).sum();
        prop_assert!((sums.net_utility[0] - (terms + sums.constant)).abs() < 1e-9);
    }

    /// Whoever knows whom, whatever is wanted.
    #[test]
    fn parts_and_totals_are_their_exact_amounts_rounded_down_or_up(
        surplus in vec(0..8_000_000_i64, 1..8),
        rows in vec((vec(prop_oneof![1 => Just(0.0), 1 => 0.0..1e-5, 4 => 0.0..1.0], 8), any::<bool>()), 1..9),
        seed in any::<u64>(),
    ) {
        let sellers: Vec<Party> = (1..).zip(&surplus).map(|(number, &s)| Party { number, most: Energy(s) }).collect();
        let (mut buyers, mut wishes) = (Vec::new(), Vec::new());
        for (buyer, (weights, firm)) in (0..).zip(&rows) {
            let known = weights.iter().zip(&sellers).enumerate().filter(|(_, (weight, _))| **weight > 0.0);
            let row: Vec<Wish> =
                known.map(|(j, (&wanted, _))| Wish { buyer, seller: j as u32, wanted }).collect();
            // With firm demand a buyer wants its need, in shares, and its need is whole.
            let total: f64 = row.iter().map(|wish| wish.wanted).sum();
            let need = Energy::nearest(total);
            let scale = if *firm && total > 0.0 { need.value() / total } else { 1.0 };
            wishes.extend(row.into_iter().map(|wish| Wish { wanted: wish.wanted * scale, ..wish }));
            buyers.push(Party { number: 100 + buyer, most: if *firm { need } else { Party::ANY } });
        }
        let parts = Division { seed, slot: 3, sellers: &sellers, buyers: &buyers, wishes: &wishes }.divide();
        let demand = |j: usize| -> f64 {
            wishes.iter().filter(|wish| wish.seller as usize == j).map(|wish| wish.wanted * 1e6).sum()
        };
        // Amounts are counted in 4096ths of a unit first: each may be wrong by one when it is spread, and by one more
        // when it is rationed.
        let grain = 1.0 / 4096.0;
        let exact: Vec<f64> = wishes.iter()
            .map(|wish| wish.wanted * 1e6 * served_share(surplus[wish.seller as usize] as f64, demand(wish.seller as usize)))
            .collect();
        let rounded = |part: i64, exact: f64, pairs: usize| {
            let tolerance = 2.0 * grain * pairs as f64;
            (part as f64) > exact - 1.0 - tolerance && (part as f64) < exact + 1.0 + tolerance
        };
        for (part, &exact) in parts.iter().zip(&exact) {
            prop_assert!(part.0 >= 0 && rounded(part.0, exact, 1), "{} for {exact}", part.0);
        }
        for (j, seller) in sellers.iter().enumerate() {
            let of: Vec<usize> = (0..wishes.len()).filter(|&n| wishes[n].seller as usize == j).collect();
            let sold: i64 = of.iter().map(|&n| parts[n].0).sum();
            prop_assert!(sold <= seller.most.0);
            prop_assert!(rounded(sold, of.iter().map(|&n| exact[n]).sum(), of.len()));
            if demand(j) > seller.most.0 as f64 + grain * of.len() as f64 {
                prop_assert_eq!(sold, seller.most.0);
            }
        }
        for (i, buyer) in buyers.iter().enumerate() {
            let of: Vec<usize> = (0..wishes.len()).filter(|&n| wishes[n].buyer as usize == i).collect();
            let bought: i64 = of.iter().map(|&n| parts[n].0).sum();
            prop_assert!(bought <= buyer.most.0);
            prop_assert!(rounded(bought, of.iter().map(|&n| exact[n]).sum(), of.len()));
            let surely = |n: &usize| {
                let seller = wishes[*n].seller as usize;
                demand(seller) < surplus[seller] as f64 - grain * wishes.len() as f64
            };
            if buyer.most != Party::ANY && of.iter().all(surely) {
                prop_assert_eq!(bought, buyer.most.0);
            }
        }
    }

    #[test]
    fn a_storage_never_gains_energy(
        capacity in 0.0..20.0, power in 0.0..10.0, efficiency in 0.05..=1.0, hours in 0.1..4.0,
        fill in 0.0..=1.0, amount in 0..20_000_000_i64,
    ) {
        let limits = StorageLimits { capacity, power, efficiency };
        let content = Energy::at_most(fill * capacity);
        // Amounts within a thousandth of a unit count as that unit.
        let noise = 2e-3;
        let (taken, after) = limits.charge(content, Energy(amount), hours);
        prop_assert!(taken.0 >= 0 && taken.0 <= amount && taken.value() <= power * hours + 1e-9);
        prop_assert!(after >= content && after.value() <= capacity + 1e-9);
        let stored = (after - content).0 as f64;
        prop_assert!(stored <= taken.0 as f64 * efficiency + noise && stored > taken.0 as f64 * efficiency - 1.0 - noise);
        let (delivered, after) = limits.discharge(content, Energy(amount), hours);
        prop_assert!(delivered.0 >= 0 && delivered.0 <= amount && delivered.value() <= power * hours + 1e-9);
        prop_assert!(after.0 >= 0 && after <= content);
        prop_assert!(delivered.0 as f64 <= (content - after).0 as f64 * efficiency + noise);
    }
}

/// A slot played to any outcome: who takes part, at which prices, with which shares.
#[derive(Clone, Debug)]
struct Slot {
    facts: Vec<SlotFacts>,
    without_ledger: Vec<f64>,
    contents: Vec<Energy>,
    limits: Option<StorageLimits>,
    terms: SlotTerms,
    prices: Vec<f64>,
    shares: Vec<Vec<f64>>,
    fee_rate: f64,
}

impl Slot {
    fn positions(&self, role: Role) -> Vec<usize> {
        (0..self.facts.len()).filter(|&m| self.facts[m].role() == role).collect()
    }

    fn trades(&self) -> Vec<Trade> {
        let (buyers, sellers) = (self.positions(Role::Buyer), self.positions(Role::Seller));
        let need = |m: usize| match self.terms.demand {
            Demand::Firm => self.facts[m].need(),
            Demand::Elastic => Party::ANY,
        };
        let party = |m: usize, most| Party { number: m as u32, most };
        let offers: Vec<Party> = sellers.iter().map(|&m| party(m, self.facts[m].surplus())).collect();
        let needs: Vec<Party> = buyers.iter().map(|&m| party(m, need(m))).collect();
        let mut optimal = Vec::new();
        let mut wishes = Vec::new();
        for (i, &m) in buyers.iter().enumerate() {
            let all: f64 = self.shares[i][..sellers.len()].iter().sum();
            for j in 0..sellers.len() {
                let x = self.facts[m].as_buyer().optimal_purchase(self.prices[j], self.terms.alpha, self.terms.demand);
                optimal.push(x);
                wishes.push(Wish { buyer: i as u32, seller: j as u32, wanted: self.shares[i][j] / all * x });
            }
        }
        let parts = Division { seed: 1, slot: 1, sellers: &offers, buyers: &needs, wishes: &wishes }.divide();
        let trade = |((wish, x), energy): ((&Wish, f64), Energy)| {
            let (buyer, seller) = (buyers[wish.buyer as usize] as u32, sellers[wish.seller as usize] as u32);
            Trade::new(buyer, seller, x, energy, self.prices[wish.seller as usize], self.fee_rate)
        };
        wishes.iter().zip(optimal).zip(parts).map(trade).collect()
    }

    fn local(&self, trades: &[Trade]) -> Vec<Account> {
        let mut local = vec![Account::default(); self.facts.len()];
        for trade in trades {
            let buyer = &mut local[trade.buyer as usize];
            buyer.bought += trade.energy;
            buyer.paid += trade.payment;
            buyer.fee += trade.fee;
            let seller = &mut local[trade.seller as usize];
            seller.sold += trade.energy;
            seller.earned += trade.payment;
        }
        local
    }

    fn balances(&self, local: &[Account]) -> Vec<Balance> {
        let storage = |m: usize| self.limits.as_ref().map(|limits| (limits, self.contents[m]));
        (0..self.facts.len()).map(|m| balance(&self.facts[m], &local[m], storage(m), &self.terms)).collect()
    }
}

const MOST: usize = 7;

prop_compose! {
    fn prosumers()(generation in 0..6_000_000_i64, load in 0..6_000_000_i64, even in 0..10, preference_pv in 1.5..4.5,
                   under in 0.0..1.0, raise in 1.0..1.2) -> (SlotFacts, f64) {
        let generation = Energy(if even == 0 { load } else { generation });
        let preference_grid = 1.0 + under * (preference_pv - 1.0);
        let facts = SlotFacts { generation, load: Energy(load), preference_pv: preference_pv * raise, preference_grid };
        (facts, preference_pv)
    }
}

prop_compose! {
    fn slots()(people in vec(prosumers(), 1..=MOST), demand in demands(), feed_in_tariff in 0.0..0.6, spread in 0.0..0.8,
               positions in vec(0.0..=1.0, MOST), shares in vec(shares(MOST), MOST), fee_rate in 0.0..0.1,
               fills in vec(0..8_000_000_i64, MOST), hours in 0.25..2.0, efficiency in 0.5..=1.0, stores in any::<bool>())
               -> Slot {
        let (facts, without_ledger) = people.into_iter().unzip();
        Slot {
            facts,
            without_ledger,
            contents: fills.into_iter().map(Energy).collect(),
            limits: stores.then_some(StorageLimits { capacity: 8.0, power: 3.0, efficiency }),
            terms: SlotTerms {
                feed_in_tariff,
                grid_tariff: feed_in_tariff + spread,
                local_fee: fee_rate,
                alpha: 0.4,
                demand,
                hours,
            },
            prices: positions.into_iter().map(|at: f64| feed_in_tariff + at * spread).collect(),
            shares,
            fee_rate,
        }
    }
}

proptest! {
    #[test]
    fn energy_is_conserved_to_the_last_unit(slot in slots()) {
        let local = slot.local(&slot.trades());
        let balances = slot.balances(&local);
        for ((facts, local), after) in slot.facts.iter().zip(&local).zip(&balances) {
            let sources = facts.generation + local.bought + after.discharged + after.grid_import;
            let uses = after.consumed + local.sold + after.charged + after.grid_export;
            prop_assert_eq!(sources, uses);
            let flows = [after.charged, after.discharged, after.grid_import, after.grid_export, after.consumed];
            prop_assert!(flows.iter().all(|flow| flow.0 >= 0));
        }
        let bought: Energy = local.iter().map(|l| l.bought).sum();
        prop_assert_eq!(bought, local.iter().map(|l| l.sold).sum());
    }

    #[test]
    fn money_is_conserved_to_the_last_unit(slot in slots()) {
        let trades = slot.trades();
        let local = slot.local(&trades);
        let balances = slot.balances(&local);
        let prosumers: Money = local.iter().zip(&balances)
            .map(|(l, after)| l.earned + after.grid_earned - l.paid - l.fee - after.grid_paid)
            .sum();
        let operator: Money = trades.iter().map(|trade| trade.fee).sum();
        let grid: Money = balances.iter()
            .map(|after| after.grid_import.at_price(slot.terms.grid_tariff) - after.grid_export.at_price(slot.terms.feed_in_tariff))
            .sum();
        prop_assert_eq!(prosumers + operator + grid, Money::ZERO);
    }

    /// Also for an outcome that is no equilibrium, where local energy is preferred and the operator asks nothing.
    #[test]
    fn nobody_is_worse_off_than_without_a_local_market(slot in slots()) {
        let slot = Slot { limits: None, fee_rate: 0.0, ..slot };
        let balances = slot.balances(&slot.local(&slot.trades()));
        for (m, after) in balances.iter().enumerate() {
            let alone = peer_to_grid(&slot.facts[m], slot.without_ledger[m], None, &slot.terms);
            prop_assert!(after.welfare >= alone.welfare - 1e-5, "{} < {}", after.welfare, alone.welfare);
        }
    }
}
