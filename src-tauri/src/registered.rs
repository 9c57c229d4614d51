//! Registers exactly the commands of `command_list.rs`, which build.rs reads too. Tests hold
//! that list, the contract's and the capability file together.

macro_rules! with_commands {
    ($($name:ident)*) => {
        pub fn handler() -> impl Fn(tauri::ipc::Invoke<tauri::Wry>) -> bool + Send + Sync + 'static {
            tauri::generate_handler![$(crate::commands::$name),*]
        }

        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}
include!("command_list.rs");

#[cfg(test)]
mod tests {
    use super::NAMES;

    #[test]
    fn the_shell_registers_exactly_the_contracts_commands() {
        assert_eq!(NAMES, app::contract::COMMANDS);
    }

    #[test]
    fn the_capability_grants_exactly_these_and_nothing_of_tauri() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../capabilities/main.json")).unwrap();
        let granted: Vec<&str> =
            file["permissions"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        let wanted: Vec<String> =
            NAMES.iter().map(|name| format!("allow-{}", name.replace('_', "-"))).collect();
        assert_eq!(granted, wanted);
        assert_eq!(file["windows"], serde_json::json!(["main"]));
    }
}
