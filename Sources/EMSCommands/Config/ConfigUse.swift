import ArgumentParser
import EMSCore
import EMSRuntime

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

struct ConfigUse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "use",
        abstract:
            "Choose the profile that is used where neither --profile nor EMS_PROFILE says otherwise: written into the configuration file.",
        discussion: examples("ems config use staging", "ems config use default"))

    @Argument(
        help: ArgumentHelp("The profile; default for what stands outside the profiles.", valueName: "profile"), completion: .profiles)
    var profile: String

    @OptionGroup var writing: WriteOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let name = profile == "default" ? nil : profile
        if writing.isDryRun {
            let sources = try SettingSources(file: global.config, profile: profile, environment: environment)
            return StandardError.write("would use \(Printable.stripped(profile)) in \(sources.file ?? "a configuration file")")
        }
        let file = try SettingSources.use(name, file: global.config, environment: environment)
        StandardError.write("\(Printable.stripped(profile)) is used from now on (\(file))")
        if let override = environment["EMS_PROFILE"], !override.isEmpty, override != profile {
            StandardError.write("but EMS_PROFILE says \(Printable.quoted(override)), and comes first")
        }
    }
}
