//! `rolecall completions` and `rolecall man`: for the shell, and for those who read manuals.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap_complete::Shell;

use super::{Ended, Failure};

/// Print completions for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
For bash: rolecall completions bash > ~/.local/share/bash-completion/completions/rolecall
For zsh:  rolecall completions zsh > ~/.zfunc/_rolecall      (where ~/.zfunc is in fpath)
For fish: rolecall completions fish > ~/.config/fish/completions/rolecall.fish

In these three, tools, arguments, connections, approvals and jobs are completed, too.")]
pub struct Completions {
    shell: Shell,
}

/// These ask the program itself, which knows tools, connections and what waits.
const BASH: &str = r#"_rolecall() {
    local IFS=$'\n'
    COMPREPLY=($(rolecall complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o bashdefault -o default -F _rolecall rolecall
"#;
const ZSH: &str = r#"#compdef rolecall
_rolecall() {
    local -a found
    found=("${(@f)$(rolecall complete --shell zsh -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "${found[1]}" ]]; then _describe rolecall found; else _files; fi
}
if [[ "$funcstack[1]" = _rolecall ]]; then _rolecall "$@"; else compdef _rolecall rolecall; fi
"#;
const FISH: &str = r"complete -c rolecall -f -a '(rolecall complete --shell fish -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null; or __fish_complete_path (commandline -ct))'
";

impl Completions {
    /// Writes them to standard output.
    pub fn run(&self) -> Ended {
        let script = match self.shell {
            Shell::Bash => BASH.into(),
            Shell::Zsh => ZSH.into(),
            Shell::Fish => FISH.into(),
            other => {
                let mut script = Vec::new();
                clap_complete::generate(other, &mut super::command(), "rolecall", &mut script);
                script
            }
        };
        std::io::stdout().write_all(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Write man pages, one for each command, into a folder.
#[derive(Debug, clap::Args)]
pub struct Man {
    /// The folder; MANPATH/man1 as a rule
    folder: PathBuf,
}

impl Man {
    pub fn run(&self) -> Ended {
        let written = std::fs::create_dir_all(&self.folder).and_then(|()| clap_mangen::generate_to(super::command(), &self.folder));
        written.map_err(|error| Failure::new(format!("folder `{}`: {error}", self.folder.display()), "choose another folder"))?;
        Ok(ExitCode::SUCCESS)
    }
}
