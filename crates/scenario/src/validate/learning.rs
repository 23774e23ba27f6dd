//! Which ways to learn a scenario may have.

use super::{Checked, SHARE_NOISE, above_zero, count, ensure, share};
use crate::schema::{Habit, Initial, Learning};
use microgrid_agents::{
    market::{choice_set::ChoiceSet, replicator::Fitness, step::StepSize},
    prosumer::{Behaviour, Mixing},
};

pub(super) fn learning(learning: &Learning) -> Checked {
    behaviour("learning.behaviour", learning.behaviour)?;
    if let ChoiceSet::Sample(size) = learning.choice_set {
        count("learning.choice_set.Sample", size)?;
    }
    fitness("learning.fitness", learning.fitness, learning)?;
    step("learning.replicator_step", learning.replicator_step)?;
    step("learning.price_step", learning.price_step)?;
    exploration("learning.exploration", learning.exploration)?;
    mixing("learning.mixing", learning.mixing)?;
    regrowth("learning.regrowth", learning.regrowth)?;
    count("learning.price_every", learning.price_every)?;
    let ramp = learning.ramp;
    ensure(ramp > 0.0 && ramp <= 1.0, "learning.ramp", ramp, "above 0, at most 1")?;
    above_zero("learning.tolerance", learning.tolerance)?;
    count("learning.patience", learning.patience)?;
    if let Initial::Fixed(shares) = &learning.initial_choice {
        first_choice(shares)?;
    }
    (0..).zip(&learning.mix).try_for_each(|(n, habit)| part(&format!("learning.mix[{n}]"), habit, learning))?;
    let mixed = learning.mix.iter().map(|habit| habit.share).sum::<f64>();
    ensure(mixed <= 1.0 + SHARE_NOISE, "learning.mix", format!("shares that add up to {mixed}"), "at most 1 in all")
}

fn part(path: &str, habit: &Habit, common: &Learning) -> Checked {
    share(&format!("{path}.share"), habit.share)?;
    habit.behaviour.map_or(Ok(()), |value| behaviour(&format!("{path}.behaviour"), value))?;
    fitness(&format!("{path}.fitness"), habit.fitness, common)?;
    habit.replicator_step.map_or(Ok(()), |size| step(&format!("{path}.replicator_step"), size))?;
    habit.price_step.map_or(Ok(()), |size| step(&format!("{path}.price_step"), size))?;
    habit.exploration.map_or(Ok(()), |value| exploration(&format!("{path}.exploration"), value))?;
    habit.mixing.map_or(Ok(()), |value| mixing(&format!("{path}.mixing"), value))?;
    habit.regrowth.map_or(Ok(()), |value| regrowth(&format!("{path}.regrowth"), value))
}

fn behaviour(path: &str, behaviour: Behaviour) -> Checked {
    match behaviour {
        Behaviour::Replicator | Behaviour::Imitation => Ok(()),
        Behaviour::BestResponse { noise } => above_zero(&format!("{path}.BestResponse.noise"), noise),
    }
}

/// What is worth most to everybody can only be compared by who knows everybody.
fn fitness(path: &str, fitness: Option<Fitness>, common: &Learning) -> Checked {
    let possible = common.choice_set.is_all() || fitness != Some(Fitness::Public);
    ensure(possible, path, "Public", "Private, or no fitness at all, as buyers know only some sellers (choice_set)")
}

fn step(path: &str, size: StepSize) -> Checked {
    match size {
        StepSize::Fixed(value) => above_zero(&format!("{path}.Fixed"), value),
        StepSize::Scaled(value) => above_zero(&format!("{path}.Scaled"), value),
    }
}

fn exploration(path: &str, value: f64) -> Checked {
    ensure((0.0..1.0).contains(&value), path, value, "from 0 to below 1")
}

fn mixing(path: &str, mixing: Mixing) -> Checked {
    match mixing {
        Mixing::None => Ok(()),
        Mixing::Informed { first, halved_every } => {
            exploration(&format!("{path}.Informed.first"), first)?;
            above_zero(&format!("{path}.Informed.halved_every"), halved_every)
        }
    }
}

fn regrowth(path: &str, value: f64) -> Checked {
    ensure((1.0..=10.0).contains(&value), path, value, "from 1 to 10")
}

fn first_choice(shares: &[f64]) -> Checked {
    let path = "learning.initial_choice.Fixed";
    (0..).zip(shares).try_for_each(|(n, &value)| share(&format!("{path}[{n}]"), value))?;
    let sum = shares.iter().sum::<f64>();
    ensure((sum - 1.0).abs() <= SHARE_NOISE, path, format!("shares that add up to {sum}"), "shares that add up to 1")
}
