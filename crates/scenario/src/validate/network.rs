//! Which networks a scenario may have.

use super::{Checked, Violation, duration, ensure, share};
use crate::{
    population::Population,
    schema::{Condition, Incident, Link, Members, Network, PopulationSource, Who},
};
use microgrid_network::{Delay, Memory, Parameter};
use std::time::Duration;

/// No condition begins later: as many of the longest slots as there may be.
const END_OF_TIME: Duration = Duration::from_secs(100_000 * 24 * 3600);

pub(super) fn network(network: &Network, population: &PopulationSource) -> Checked {
    let known = match population {
        PopulationSource::Profiles(_) => Known::Later,
        PopulationSource::Synthetic(what) => Known::UpTo(what.count),
    };
    check(network, known)
}

/// Checks it again, now that the profiles tell which prosumers there are.
pub(crate) fn network_among(network: &Network, population: &Population) -> Checked {
    check(network, Known::These(population))
}

fn check(network: &Network, known: Known<'_>) -> Checked {
    let numbers = Numbers { groups: network.groups.keys().map(String::as_str).collect(), known };
    delay("network.delay", network.delay)?;
    share("network.jitter", network.jitter)?;
    loss("network.loss", network.loss)?;
    share("network.duplication", network.duplication)?;
    for (name, members) in &network.groups {
        let path = format!("network.groups.{name}");
        match members {
            Members::Share(value) => share(&format!("{path}.Share"), *value)?,
            Members::Prosumers(list) => (0..)
                .zip(list)
                .try_for_each(|(n, &number)| numbers.prosumer(&format!("{path}.Prosumers[{n}]"), number))?,
        }
    }
    (0..).zip(&network.links).try_for_each(|(n, what)| link(&format!("network.links[{n}]"), what, &numbers))?;
    (0..)
        .zip(&network.conditions)
        .try_for_each(|(n, what)| condition(&format!("network.conditions[{n}]"), what, &numbers))
}

/// Which groups and prosumers there are.
struct Numbers<'a> {
    groups: Vec<&'a str>,
    known: Known<'a>,
}

/// What is known of the prosumers' numbers.
enum Known<'a> {
    /// Nothing: who is in a file of profiles is seen when it is read.
    Later,
    /// Synthetic prosumers count from 1.
    UpTo(u32),
    /// These have a profile.
    These(&'a Population),
}

impl Numbers<'_> {
    fn prosumer(&self, path: &str, number: u32) -> Checked {
        match self.known {
            Known::Later => Ok(()),
            Known::UpTo(count) => {
                let allowed = format!("the number of a prosumer, from 1 to {count}");
                ensure((1..=count).contains(&number), path, number, allowed)
            }
            Known::These(population) if population.position(number).is_some() => Ok(()),
            Known::These(population) => {
                let some: Vec<String> = population.prosumers.iter().take(5).map(|p| p.number.to_string()).collect();
                let more = if population.prosumers.len() > some.len() { " and so on" } else { "" };
                let allowed = format!("the number of a prosumer in the profiles: {}{more}", some.join(", "));
                Err(Violation::new(path, "there is no such prosumer", number, allowed))
            }
        }
    }

    fn who(&self, path: &str, who: &Who) -> Checked {
        match who {
            Who::Prosumer(number) => self.prosumer(&format!("{path}.Prosumer"), *number),
            Who::Group(name) if !self.groups.contains(&name.as_str()) => {
                let allowed = match self.groups.as_slice() {
                    [] => "a group of network.groups, which has none".to_owned(),
                    groups => format!("a group of network.groups: {}", groups.join(", ")),
                };
                Err(Violation::new(&format!("{path}.Group"), "there is no such group", format!("{name:?}"), allowed))
            }
            Who::Group(_) | Who::Everybody | Who::Ledger | Who::Grid | Who::Prosumers => Ok(()),
        }
    }
}

fn delay(path: &str, delay: Delay) -> Checked {
    delay.parameters().into_iter().try_for_each(|(name, parameter)| match parameter {
        Parameter::Time(value, least) => duration(&format!("{path}.{name}"), value, least, Delay::LONGEST),
        Parameter::Number(value, range) => {
            let allowed = format!("from {} to {}", range.start(), range.end());
            ensure(range.contains(&value), &format!("{path}.{name}"), value, allowed)
        }
    })
}

/// If every message were lost, those that are repeated until acknowledged would be so forever.
fn loss(path: &str, value: f64) -> Checked {
    ensure((0.0..1.0).contains(&value), path, value, "from 0 to below 1")
}

fn link(path: &str, link: &Link, numbers: &Numbers<'_>) -> Checked {
    numbers.who(&format!("{path}.from"), &link.from)?;
    numbers.who(&format!("{path}.to"), &link.to)?;
    link.delay.map_or(Ok(()), |value| delay(&format!("{path}.delay"), value))?;
    link.jitter.map_or(Ok(()), |value| share(&format!("{path}.jitter"), value))?;
    link.loss.map_or(Ok(()), |value| loss(&format!("{path}.loss"), value))?;
    link.duplication.map_or(Ok(()), |value| share(&format!("{path}.duplication"), value))
}

fn condition(path: &str, condition: &Condition, numbers: &Numbers<'_>) -> Checked {
    let shortest = Duration::from_millis(1);
    duration(&format!("{path}.at"), condition.at, Duration::ZERO, END_OF_TIME)?;
    condition.lasting.map_or(Ok(()), |value| duration(&format!("{path}.lasting"), value, shortest, END_OF_TIME))?;
    if let Some(every) = condition.every {
        let Some(lasting) = condition.lasting else {
            let problem = "what happens again must end";
            let allowed = "with `every`, a duration shorter than that";
            return Err(Violation::new(&format!("{path}.lasting"), problem, "None", allowed));
        };
        duration(&format!("{path}.every"), every, shortest, END_OF_TIME)?;
        // In between there has to be time to recover.
        if lasting >= every {
            let [found, every] = [lasting, every].map(|value| humantime::format_duration(value).to_string());
            let allowed = format!("a duration shorter than `every`, which is {every}");
            return Err(Violation::new(
                &format!("{path}.lasting"),
                "what happens again must end before",
                found,
                allowed,
            ));
        }
    }
    match &condition.what {
        Incident::Link(what) => link(&format!("{path}.what.Link"), what, numbers),
        Incident::Partition { from, to, .. } => {
            forever(path, condition, "a partition")?;
            numbers.who(&format!("{path}.what.Partition.from"), from)?;
            numbers.who(&format!("{path}.what.Partition.to"), to)
        }
        Incident::Crash { who, memory } => {
            forever(path, condition, "a crash")?;
            let path = format!("{path}.what.Crash");
            numbers.who(&format!("{path}.who"), who)?;
            let prosumers = matches!(who, Who::Prosumers | Who::Prosumer(_) | Who::Group(_));
            let problem = "only prosumers know where to ask what they have lost";
            match memory {
                Memory::Lost if !prosumers => {
                    Err(Violation::new(&format!("{path}.memory"), problem, "Lost", "Kept, or prosumers as `who`"))
                }
                _ => Ok(()),
            }
        }
    }
}

/// Nobody could finish a slot without those who never come back.
fn forever(path: &str, condition: &Condition, what: &str) -> Checked {
    match condition.lasting {
        Some(_) => Ok(()),
        None => Err(Violation::new(
            &format!("{path}.lasting"),
            &format!("{what} must end, or the run never would"),
            "None",
            "a duration",
        )),
    }
}
