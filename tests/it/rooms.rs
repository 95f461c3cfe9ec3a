//! Imports inside `src/` point one way: files form no import cycle, and the rooms of `store` import
//! each other only as the table in ARCHITECTURE.md allows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::architecture::{self, files_below, table};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The imports of each file. Files are module paths such as `["store", "write", "dedup"]`.
type Arrows = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// The module path of a file. A `mod.rs` has the path of its folder.
fn module_of(file: &Path) -> Vec<String> {
    let relative = file.strip_prefix(Path::new(ROOT).join("src")).unwrap();
    let mut module: Vec<String> = relative
        .with_extension("")
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// The paths in the `use` declarations of the code, split into segments, with groups expanded.
fn imported(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for statement in code.split(';') {
        // A declaration starts a line, perhaps after `pub`.
        let Some((before, text)) = statement.rsplit_once("use ") else {
            continue;
        };
        let begins_line = before.rsplit('\n').next().is_none_or(|line| {
            let line = line.trim();
            line.is_empty() || line.starts_with("pub")
        });
        let text: String = text.split_whitespace().collect();
        if begins_line && (text.starts_with("crate::") || text.starts_with("super::")) {
            expand("", &text, &mut paths);
        }
    }
    paths
        .into_iter()
        .map(|path| path.split("::").map(str::to_owned).collect())
        .collect()
}

/// Expands the groups of `a::{b, c::{d, e}}`.
fn expand(prefix: &str, text: &str, paths: &mut Vec<String>) {
    let Some(open) = text.find('{') else {
        paths.push(format!("{prefix}{text}"));
        return;
    };
    let prefix = format!("{prefix}{}", &text[..open]);
    let inner = &text[open + 1..text.rfind('}').unwrap()];
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in inner.char_indices().chain([(inner.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if start < at {
                    expand(&prefix, &inner[start..at], paths);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// The imports of each file, except `mod.rs` files, which declare and re-export their folder.
fn arrows() -> Arrows {
    let source = Path::new(ROOT).join("src");
    let files = files_below(&source);
    let leaves: BTreeSet<Vec<String>> = files
        .iter()
        .filter(|file| !file.ends_with("mod.rs"))
        .map(|file| module_of(file))
        .collect();
    let mut arrows = Arrows::new();
    for file in files.iter().filter(|file| !file.ends_with("mod.rs")) {
        let from = module_of(file);
        // Unit tests at the end of a file may import more.
        let code = fs::read_to_string(file).unwrap();
        let code = code.split("#[cfg(test)]").next().unwrap();
        let imports = arrows.entry(from.clone()).or_default();
        for path in imported(code) {
            let mut module = match path[0].as_str() {
                "crate" => Vec::new(),
                _ => from[..from.len() - 1].to_vec(),
            };
            for segment in &path[1..] {
                if segment == "super" {
                    module.pop();
                    continue;
                }
                module.push(segment.clone());
                if leaves.contains(&module) && module != from {
                    imports.insert(module.clone());
                }
            }
        }
    }
    arrows
}

/// The files on or above an import cycle: those left after repeatedly removing files that import
/// no remaining file.
fn cycle(mut arrows: Arrows) -> BTreeSet<Vec<String>> {
    loop {
        let done: BTreeSet<_> = arrows
            .iter()
            .filter(|(_, imports)| imports.iter().all(|import| !arrows.contains_key(import)))
            .map(|(file, _)| file.clone())
            .collect();
        if done.is_empty() {
            return arrows.into_keys().collect();
        }
        arrows.retain(|file, _| !done.contains(file));
    }
}

#[test]
fn source_files_form_no_import_cycle() {
    let arrows = arrows();
    let count: usize = arrows.values().map(BTreeSet::len).sum();
    assert!(count > 200, "only {count} imports were found");
    assert_eq!(cycle(arrows), BTreeSet::new());
}

#[test]
fn rooms_of_the_store_import_only_what_the_table_allows() {
    let allowed = table("<!-- rooms -->");
    let mut found: architecture::Arrows = allowed
        .keys()
        .map(|room| (room.clone(), BTreeSet::new()))
        .collect();
    let source = Path::new(ROOT).join("src/store");
    let files = files_below(&source);
    for file in files {
        let module = module_of(&file);
        let [_, room, ..] = module.as_slice() else {
            continue;
        };
        let Some(imports) = found.get_mut(room) else {
            continue;
        };
        let code = fs::read_to_string(&file).unwrap();
        let code = code.split("#[cfg(test)]").next().unwrap();
        for path in imported(code) {
            if let [first, second, third, ..] = path.as_slice()
                && (first, second) == (&"crate".to_owned(), &"store".to_owned())
            {
                assert!(
                    third.starts_with(char::is_lowercase),
                    "{}: a room imports `{third}` from the file that defines it",
                    file.display()
                );
                if allowed.contains_key(third) && third != room {
                    imports.insert(third.clone());
                }
            }
        }
    }
    assert_eq!(found, allowed, "left: src/store, right: ARCHITECTURE.md");
}

#[test]
fn import_cycle_is_found() {
    let file = |name: &str| vec![name.to_owned()];
    let arrows: Arrows = [("a", "b"), ("b", "c"), ("c", "b"), ("d", "a")]
        .map(|(from, to)| (file(from), [file(to)].into()))
        .into();
    assert!(cycle(arrows.clone()).contains(&file("b")));
    let straight = arrows
        .into_iter()
        .filter(|(from, _)| *from != file("c"))
        .collect();
    assert_eq!(cycle(straight), BTreeSet::new());
}

#[test]
fn groups_of_imports_are_expanded() {
    let code = "use crate::{a, b::{C, d::E}};\n    pub(super) use super::f::{self, G};\n";
    let paths: Vec<_> = imported(code).iter().map(|path| path.join("::")).collect();
    assert_eq!(
        paths,
        [
            "crate::a",
            "crate::b::C",
            "crate::b::d::E",
            "super::f::self",
            "super::f::G"
        ]
    );
}
