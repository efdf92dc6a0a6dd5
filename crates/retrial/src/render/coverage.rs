//! Coverage: how often each invariant was exercised and each fault injected, per environment, over all strategies.
//! Zeros are always shown.

use std::collections::BTreeMap;

use retrial_sim::fault::Fault;

use super::columns;
use crate::results::{Line, Table};

/// How often each invariant was exercised: invariants down, environments across. In parentheses, how many strategies
/// never exercised it in that environment.
pub fn invariants(table: &Table) -> String {
    let (info, environments) = (&table.selection.info, environments(table));
    let row = |(index, (name, _)): (usize, &(&'static str, &'static str))| {
        let cell = |environment: &usize| {
            let exercised = lines(table, *environment).map(|line| line.report.tallies[index].exercised);
            let (mut sum, mut never) = (0, 0);
            for times in exercised {
                sum += times;
                never += u64::from(times == 0);
            }
            match (sum, never) {
                (0, _) => "-".to_owned(),
                (sum, 0) => sum.to_string(),
                (sum, never) => format!("{sum} ({never})"),
            }
        };
        std::iter::once((*name).to_owned()).chain(environments.iter().map(cell)).collect()
    };
    let rows = info.invariants.iter().enumerate().map(row).collect();
    columns::fitted(&head(table, "exercised", &environments), rows)
}

/// How often each fault was injected: faults down, environments across. A dash is a fault that the environment has a
/// rule for and that was never injected.
pub fn faults(table: &Table) -> Option<String> {
    let environments = environments(table);
    let all = &table.selection.info.environments;
    let mut injected: BTreeMap<(Fault, usize), u64> = BTreeMap::new();
    for line in &table.lines {
        for fault_rule in all[line.environment].fault_rules {
            injected.entry((fault_rule.fault, line.environment)).or_default();
        }
        for ((fault, _), times) in &line.report.injected {
            *injected.entry((*fault, line.environment)).or_default() += times;
        }
    }
    let mut faults: Vec<Fault> = injected.keys().map(|(fault, _)| *fault).collect();
    faults.dedup();
    if faults.is_empty() {
        return None;
    }
    let row = |fault: Fault| {
        let cell = |environment: &usize| match injected.get(&(fault, *environment)) {
            None => String::new(),
            Some(0) => "-".to_owned(),
            Some(times) => times.to_string(),
        };
        std::iter::once(fault.name().to_owned()).chain(environments.iter().map(cell)).collect()
    };
    let rows = faults.into_iter().map(row).collect();
    Some(columns::fitted(&head(table, "injected", &environments), rows))
}

fn environments(table: &Table) -> Vec<usize> {
    let tried = |environment: &usize| lines(table, *environment).next().is_some();
    (0..table.selection.info.environments.len()).filter(tried).collect()
}

fn lines(table: &Table, environment: usize) -> impl Iterator<Item = &Line> {
    table.lines.iter().filter(move |line| line.environment == environment && !line.report.tallies.is_empty())
}

fn head<'a>(table: &Table, what: &'a str, environments: &[usize]) -> Vec<&'a str> {
    let names = environments.iter().map(|environment| table.selection.info.environments[*environment].name);
    std::iter::once(what).chain(names).collect()
}
