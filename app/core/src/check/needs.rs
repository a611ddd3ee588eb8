//! Services among themselves: one file per name, and an order in which they can come.

use std::collections::HashMap;

use super::scene::Scene;
use crate::config::ServiceFile;
use crate::diagnostic::Diagnostic;
use crate::name::ServiceName;
use crate::yaml::did_you_mean;

/// The file's name is the service's name, so two folders may not have the same one.
pub(super) fn services_declared_twice(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut first: HashMap<&ServiceName, &ServiceFile> = HashMap::new();
    let mut findings = Vec::new();
    for file in &scene.files {
        if let Some(other) = first.insert(&file.name, file) {
            let message = format!("the service {} has two files", file.name);
            let finding = Diagnostic::error("service-declared-twice", file.span.clone(), message);
            let help = "the name of a service is that of its file, whatever the folder; rename one";
            findings.push(finding.help(help).related(other.span.clone(), "the other file"));
        }
    }
    findings
}

/// After so many findings nothing is compared any more: what a slip resembles is looked for among
/// all services, and a hostile tree may have ten thousand of both.
const MOST_SUGGESTIONS: usize = 20;
/// After so many circles the rest is not told, and of a long one only the beginning is.
const MOST_CIRCLES: usize = 20;
const MOST_NAMES: usize = 10;

/// What a service needs exists, and does not need that service in turn.
pub(super) fn needs(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for file in &scene.files {
        for need in file.needs.iter().filter(|need| scene.file(&need.value).is_none()) {
            let message =
                format!("{} needs {}, and there is no such service", file.name, need.value);
            let mut finding = Diagnostic::error("needs-missing", need.span.clone(), message);
            if findings.len() < MOST_SUGGESTIONS {
                let names = scene.files.iter().map(|file| file.name.as_str());
                finding.help = did_you_mean(need.as_str(), names);
            }
            findings.push(finding);
        }
    }
    findings.extend(Walk::over(scene).cycles);
    findings
}

/// How far a service is walked.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    OnPath,
    Done,
}

/// A walk along `needs`, with a stack of its own: a chain may be as long as there are services.
struct Walk<'a> {
    files: &'a [&'a ServiceFile],
    at: HashMap<&'a ServiceName, usize>,
    marks: Vec<Mark>,
    cycles: Vec<Diagnostic>,
}

impl<'a> Walk<'a> {
    fn over(scene: &'a Scene<'_>) -> Self {
        let at = scene.files.iter().enumerate().map(|(at, file)| (&file.name, at)).collect();
        let marks = vec![Mark::New; scene.files.len()];
        let mut walk = Self { files: &scene.files, at, marks, cycles: Vec::new() };
        for start in 0..walk.files.len() {
            if walk.marks[start] == Mark::New && walk.cycles.len() < MOST_CIRCLES {
                walk.from(start);
            }
        }
        walk
    }

    fn from(&mut self, start: usize) {
        // Each step: a service, and which of its needs is next.
        let mut path = vec![(start, 0)];
        self.marks[start] = Mark::OnPath;
        while let Some((service, next)) = path.last_mut() {
            let (service, need) = (*service, *next);
            *next += 1;
            let Some(need) = self.files[service].needs.get(need) else {
                self.marks[service] = Mark::Done;
                path.pop();
                continue;
            };
            match self.at.get(&need.value).map(|at| (*at, self.marks[*at])) {
                Some((at, Mark::New)) => {
                    self.marks[at] = Mark::OnPath;
                    path.push((at, 0));
                }
                Some((at, Mark::OnPath)) => self.report(&path, at),
                Some((_, Mark::Done)) | None => {}
            }
        }
    }

    /// The part of the path from `at` on closes here.
    fn report(&mut self, path: &[(usize, usize)], at: usize) {
        if self.cycles.len() >= MOST_CIRCLES {
            return;
        }
        let from = path.iter().position(|(service, _)| *service == at).unwrap_or_default();
        let round: Vec<&ServiceFile> =
            path[from..].iter().map(|(service, _)| self.files[*service]).collect();
        let mut names: Vec<&str> =
            round.iter().take(MOST_NAMES).map(|file| file.name.as_str()).collect();
        names.extend((round.len() > MOST_NAMES).then_some("…"));
        names.extend(round.first().map(|file| file.name.as_str()));
        let last = path
            .last()
            .and_then(|(service, next)| self.files[*service].needs.get(next.saturating_sub(1)));
        let Some(need) = last else { return };
        let message = format!("services need each other in a circle: {}", names.join(" → "));
        let finding = Diagnostic::error("needs-cycle", need.span.clone(), message);
        self.cycles
            .push(finding.help("one of them has to come first; remove one of these `needs`"));
    }
}
