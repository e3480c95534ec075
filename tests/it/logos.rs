use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::support::{Agent, json, params};

/// The first bytes of a PNG of a size: as much as its size is read from, and some content.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend(b"\x08\x06\0\0\0rest");
    bytes
}

fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xc0\0\x11\x08".to_vec();
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.extend(b"\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xd9");
    bytes
}

/// The picture as the agent's model sees it: base64 and its type.
async fn picture(agent: &Agent, of: &str, target: &str) -> (String, String) {
    let answer = agent.client.call_tool(params("get_logo", json!({"of": of, "target": target}))).await.unwrap();
    let image = answer.content.iter().find_map(|it| it.as_image()).unwrap();
    (image.data.clone(), image.mime_type.clone())
}

#[tokio::test]
async fn a_logo_is_set_replaced_read_and_deleted() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({"name": "Acme"})).await;
        agent.ok("create_project", json!({"name": "Atlas"})).await;
        for (of, target) in [("organization", "Acme"), ("project", "atlas")] {
            agent.fails("get_logo", json!({"of": of, "target": target}), "logo_not_found").await;
            agent.questions();
            let image = STANDARD.encode(png(64, 32));
            let set = agent.ok("set_logo", json!({"of": of, "target": target, "image": image})).await;
            assert_eq!(set["undo"], "delete_logo");
            assert!(set["after"].get("image").is_none(), "a change does not send the picture back");
            let logo = agent.ok("get_logo", json!({"of": of, "target": target})).await;
            assert_eq!(logo["media_type"], "image/png");
            assert_eq!((&logo["width"], &logo["height"]), (&json!(64), &json!(32)));
            assert!(logo.get("image").is_none(), "it comes as a picture, not as letters");
            assert_eq!(picture(&agent, of, target).await, (image, "image/png".to_owned()));

            assert_eq!(agent.questions(), Vec::<String>::new(), "a first logo takes nothing away");

            let image = STANDARD.encode(jpeg(20, 10));
            let over = json!({"of": of, "target": target, "image": image});
            let mut preview = over.clone();
            preview["dry_run"] = true.into();
            let told = agent.ok("set_logo", preview).await;
            assert_eq!((&told["impact"]["gravity"], &told["impact"]["losses"][0]["what"]), (&json!("low"), &json!("logo ends")), "{told}");
            let before = agent.dump().await;
            agent.refusing().await.call("set_logo", over.clone()).await;
            assert_eq!(agent.dump().await, before, "a logo is replaced only after a yes");
            let set = agent.ok("set_logo", over).await;
            assert_eq!(agent.questions().len(), 1);
            assert_eq!((&set["before"]["media_type"], &set["after"]["media_type"]), (&json!("image/png"), &json!("image/jpeg")));
            assert_eq!((&set["after"]["width"], &set["after"]["height"]), (&json!(20), &json!(10)));

            let before = agent.dump().await;
            agent.refusing().await.call("delete_logo", json!({"of": of, "target": target})).await;
            assert_eq!(agent.dump().await, before);
            agent.ok("delete_logo", json!({"of": of, "target": target})).await;
            agent.fails("delete_logo", json!({"of": of, "target": target}), "already_gone").await;
        }
    }
}

#[tokio::test]
async fn a_picture_may_come_as_an_address_of_data_or_on_several_lines() {
    let agent = Agent::new().await;
    agent.ok("create_organization", json!({"name": "Acme"})).await;
    let image = STANDARD.encode(png(64, 32));
    let (first, rest) = image.split_at(20);
    for written in
        [format!("data:image/png;base64,{image}"), format!(" DATA:image/png;name=x.png;base64,{image}\n"), format!("{first}\r\n{rest}")]
    {
        agent.ok("set_logo", json!({"of": "organization", "target": "Acme", "image": written})).await;
        assert_eq!(picture(&agent, "organization", "Acme").await.0, image);
    }
    let plain = json!({"of": "organization", "target": "Acme", "image": "data:image/png,%89PNG"});
    agent.fails("set_logo", plain, "invalid_arguments").await;
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({"name": "Acme"})).await;
        let before = agent.dump().await;
        let large = [png(9, 9), vec![0; 1 << 20]].concat();
        for (what, image) in [
            ("not base64", "%%%".to_owned()),
            ("a GIF", STANDARD.encode(b"GIF89a\x01\0\x01\0\0\0\0\0\0\0\0")),
            ("SVG", STANDARD.encode("<svg xmlns='http://www.w3.org/2000/svg'/>")),
            ("cut off", STANDARD.encode(&png(9, 9)[..14])),
            ("without size", STANDARD.encode(png(0, 9))),
            ("too large", STANDARD.encode(large)),
        ] {
            let answer = agent.call("set_logo", json!({"of": "organization", "target": "Acme", "image": image})).await;
            assert_eq!(answer["code"], "invalid_arguments", "{what}: {answer}");
        }
        let image = STANDARD.encode(png(9, 9));
        agent.fails("set_logo", json!({"of": "organization", "target": "Acme"}), "invalid_arguments").await;
        let both = json!({"of": "organization", "target": "Acme", "image": image, "path": "logo.png"});
        agent.fails("set_logo", both, "invalid_arguments").await;
        agent.fails("set_logo", json!({"of": "project", "target": "Acme", "image": image}), "project_not_found").await;
        agent.fails("set_logo", json!({"of": "team", "target": "Acme", "image": image}), "team_not_found").await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn an_archived_project_keeps_its_logo() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({"name": "Acme"})).await;
        agent.ok("create_project", json!({"name": "Atlas"})).await;
        let image = STANDARD.encode(png(9, 9));
        agent.ok("set_logo", json!({"of": "project", "target": "Atlas", "image": image})).await;
        agent.ok("archive_project", json!({"project": "Atlas"})).await;
        agent.fails("delete_logo", json!({"of": "project", "target": "Atlas"}), "project_archived").await;
        agent.fails("set_logo", json!({"of": "project", "target": "Atlas", "image": image}), "project_archived").await;
        agent.ok("get_logo", json!({"of": "project", "target": "Atlas"})).await;
    }
}

#[tokio::test]
async fn a_file_is_read_from_an_allowed_folder_wherever_its_links_lead() {
    for agent in Agent::each().await {
        agent.ok("create_organization", json!({"name": "Acme"})).await;
        let root = agent.store.folder.path().canonicalize().unwrap();
        let files = root.join("files");
        std::fs::create_dir_all(files.join("inner")).unwrap();
        std::fs::write(files.join("logo.png"), png(9, 9)).unwrap();
        std::fs::write(files.join("inner/other.png"), png(5, 5)).unwrap();
        std::fs::write(files.join("large.png"), [png(9, 9), vec![0; 1 << 20]].concat()).unwrap();
        std::fs::write(root.join("outside.png"), png(7, 7)).unwrap();
        std::fs::create_dir_all(root.join("files-beside")).unwrap();
        std::fs::write(root.join("files-beside/logo.png"), png(7, 7)).unwrap();
        std::os::unix::fs::symlink(root.join("outside.png"), files.join("escape.png")).unwrap();
        std::os::unix::fs::symlink(&root, files.join("up")).unwrap();
        std::os::unix::fs::symlink(files.join("inner"), files.join("link")).unwrap();

        let set = |path: std::path::PathBuf| json!({"of": "organization", "target": "Acme", "path": path});
        for (path, width) in [(files.join("logo.png"), 9), ("logo.png".into(), 9), ("link/other.png".into(), 5)] {
            let answer = agent.ok("set_logo", set(path)).await;
            assert_eq!(answer["after"]["width"], width);
        }
        let before = agent.dump().await;
        let mut messages = std::collections::BTreeSet::new();
        for path in [
            "../outside.png".into(),
            root.join("outside.png"),
            files.join("../outside.png"),
            "escape.png".into(),
            "up/outside.png".into(),
            root.join("files-beside/logo.png"),
            "inner".into(),
            "missing.png".into(),
            root.join("missing.png"),
        ] {
            let path: std::path::PathBuf = path;
            let answer = agent.fails("set_logo", set(path.clone()), "path_not_allowed").await;
            assert!(answer["fix"].as_str().unwrap().contains("add its folder to `files.allow`"), "{answer}");
            messages.insert(answer["message"].as_str().unwrap().replace(path.to_str().unwrap(), "…"));
        }
        assert_eq!(messages.len(), 1, "what is outside and what does not exist are told alike");
        agent.fails("set_logo", set("logo.png\0".into()), "path_not_allowed").await;
        agent.fails("set_logo", set("large.png".into()), "invalid_arguments").await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn a_file_that_changes_is_another_plan() {
    let agent = Agent::new().await;
    agent.ok("create_organization", json!({"name": "Acme"})).await;
    let files = agent.store.folder.path().join("files");
    std::fs::create_dir_all(&files).unwrap();
    let mut facts = std::collections::BTreeSet::new();
    for width in [9, 10] {
        std::fs::write(files.join("logo.png"), png(width, 9)).unwrap();
        let call = json!({"of": "organization", "target": "Acme", "path": "logo.png", "dry_run": true});
        facts.insert(agent.ok("set_logo", call).await["impact"].to_string());
    }
    assert_eq!(facts.len(), 2);
}
