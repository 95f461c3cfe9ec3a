//! Imports point one way: `src/` must import exactly what the table in ARCHITECTURE.md allows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

pub type Arrows = BTreeMap<String, BTreeSet<String>>;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn allowed() -> Arrows {
    table("<!-- imports -->")
}

/// Parses the rows `| importer | what it imports | …` of ARCHITECTURE.md between two of these marks.
pub fn table(mark: &str) -> Arrows {
    let text = fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).unwrap();
    let table = text
        .split(mark)
        .nth(1)
        .unwrap_or_else(|| panic!("ARCHITECTURE.md has no table between two marks {mark}"));
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|');
        let module = names(cells.next().unwrap()).pop_first().unwrap();
        (module, names(cells.next().unwrap()))
    })
    .collect()
}

/// The crate's modules that each module names in code; comments do not count.
fn found() -> Arrows {
    let source = Path::new(ROOT).join("src");
    let files = files_below(&source);
    let module = |file: &Path| {
        let first = file
            .strip_prefix(&source)
            .unwrap()
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap();
        first.trim_end_matches(".rs").to_owned()
    };
    let modules: BTreeSet<String> = files
        .iter()
        .map(|file| module(file))
        .filter(|name| name != "lib" && name != "main")
        .collect();
    let mut arrows: Arrows = modules
        .iter()
        .map(|name| (name.clone(), BTreeSet::new()))
        .collect();
    for file in &files {
        let from = module(file);
        let Some(imports) = arrows.get_mut(&from) else {
            continue;
        };
        let code = fs::read_to_string(file).unwrap();
        let depth = file.strip_prefix(&source).unwrap().components().count()
            - usize::from(file.ends_with("mod.rs"));
        for line in code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            for path in paths(line, depth) {
                imports.extend(
                    modules
                        .iter()
                        .filter(|name| **name == path && **name != from)
                        .cloned(),
                );
            }
        }
    }
    arrows
}

/// Names directly below the crate root: after `crate::`, or after as many `super::` as the file
/// is deep. All names of a group in braces count.
fn paths(line: &str, depth: usize) -> Vec<String> {
    let to_root = "super::".repeat(depth);
    let mut paths = Vec::new();
    for prefix in ["crate::", &to_root] {
        for (index, _) in line.match_indices(prefix) {
            let rest = &line[index + prefix.len()..];
            let group = rest
                .strip_prefix('{')
                .and_then(|rest| rest.split('}').next());
            let names = group.map_or(vec![rest], |group| group.split(',').collect());
            paths.extend(names.iter().map(|name| {
                let name = name.trim();
                let end = name
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(name.len());
                name[..end].to_owned()
            }));
        }
    }
    paths
}

/// The Rust files of a folder and of the folders in it.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[test]
fn imports_match_the_table() {
    let (allowed, found) = (allowed(), found());
    assert!(
        found.len() > 5 && found.values().any(|imports| !imports.is_empty()),
        "{found:?}"
    );
    assert_eq!(
        found, allowed,
        "left: what src/ imports, right: the table in ARCHITECTURE.md"
    );
}

#[test]
fn import_table_has_no_cycle() {
    let mut rest = allowed();
    while !rest.is_empty() {
        let leaves: Vec<String> = rest
            .iter()
            .filter(|(_, imports)| imports.iter().all(|import| !rest.contains_key(import)))
            .map(|(name, _)| name.clone())
            .collect();
        assert!(!leaves.is_empty(), "an import cycle among {rest:?}");
        rest.retain(|name, _| !leaves.contains(name));
    }
}

#[test]
fn every_way_to_name_a_module_is_recognized() {
    assert_eq!(paths("use crate::store::Writer;", 2), ["store"]);
    assert_eq!(paths("    let x = crate::api::router(y);", 2), ["api"]);
    assert_eq!(
        paths("use crate::{api, store::Writer};", 1),
        ["api", "store"]
    );
    assert_eq!(paths("use super::super::cli::run;", 2), ["cli"]);
}
