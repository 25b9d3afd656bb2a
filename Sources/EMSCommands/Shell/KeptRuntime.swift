import EMSCore
import EMSRuntime

/// The store that a shell keeps open for its lines.
final class KeptRuntime: Sendable {
    /// The shell's, in what runs for it.
    @TaskLocal static var current: KeptRuntime?

    /// What the shell was started with: it holds for all lines.
    struct Options: Sendable {
        let config: String?
        let profile: String?
        let dataDir: String?
    }

    let runtime: Runtime
    let options: Options

    init(_ runtime: Runtime, _ global: GlobalOptions) {
        self.runtime = runtime
        options = Options(config: global.config, profile: global.profile, dataDir: global.dataDir)
    }

    /// Whether a line means this store: one that names another opens that.
    func serves(_ global: GlobalOptions) -> Bool {
        (global.config == nil || global.config == options.config) && (global.profile == nil || global.profile == options.profile)
            && (global.dataDir == nil || global.dataDir == options.dataDir)
    }
}
