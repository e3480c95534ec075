//! Asking the person at the terminal.

use std::io::{self, IsTerminal as _, Write as _};

use dialoguer::{Confirm, Input, console::Term};
use serde_json::json;

use crate::guard::{Answer, Question};

/// Whether a person sits at this process: what is typed and what is shown both go through a terminal.
pub(super) fn a_person_is_here() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Shows the question and reads the answer: yes or no, or the target's name.
pub(super) fn ask(question: &Question) -> io::Result<Answer> {
    let term = Term::stderr();
    let bold = anstyle::Style::new().bold();
    writeln!(anstream::stderr(), "\n{bold}{}{bold:#}\n", question.text)?;
    let answered = if question.type_this.is_some() {
        let typed = Input::<String>::new().with_prompt("Name").allow_empty(true).interact_text_on(&term);
        typed.map(|name| if name.trim().is_empty() { Answer::Declined } else { Answer::Accepted(json!({ "name": name })) })
    } else {
        let yes = Confirm::new().with_prompt("Do it?").default(false).wait_for_newline(true).interact_on_opt(&term);
        yes.map(|it| match it {
            Some(true) => Answer::Accepted(json!({ "confirm": true })),
            Some(false) => Answer::Declined,
            None => Answer::Cancelled,
        })
    };
    match answered {
        Ok(answer) => Ok(answer),
        Err(dialoguer::Error::IO(error)) if error.kind() == io::ErrorKind::Interrupted => Ok(Answer::Cancelled),
        Err(dialoguer::Error::IO(error)) => Err(error),
    }
}

/// The person's name at the operating system. Not from the environment: whoever starts a shell writes that as they like.
pub(super) fn person() -> Result<String, String> {
    let programs: &[(&str, &[&str])] =
        if cfg!(windows) { &[(r"C:\Windows\System32\whoami.exe", &[])] } else { &[("/usr/bin/id", &["-un"]), ("/bin/id", &["-un"])] };
    for (program, arguments) in programs {
        if let Ok(output) = std::process::Command::new(program).args(*arguments).output()
            && output.status.success()
        {
            let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            if !name.is_empty() {
                return Ok(name);
            }
        }
    }
    Err("the operating system does not say who you are".into())
}
