//! Words as a shell takes them.

/// A word that a shell reads as it is; one with spaces or signs of its own stands in quotes.
pub(super) fn quoted(word: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "/._-+,:=@".contains(it) || (cfg!(windows) && it == '\\');
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
