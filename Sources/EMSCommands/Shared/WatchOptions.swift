import ArgumentParser
import EMSCore
import EMSRuntime

/// How long to watch.
struct WatchOptions: ParsableArguments {
    @Option(help: "End after so many.")
    var count: Int?

    @Option(help: ArgumentHelp("End after so long, such as 30s; with --count, too few by then is a failure.", valueName: "time"))
    var timeout: DurationArgument?

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count must be 1 or more.") }
    }

    /// Shows the notifications that are wanted, each as it comes.
    func watch(
        _ runtime: Runtime, _ output: OutputOptions, where isWanted: @escaping @Sendable (RecordedNotification) async throws -> Bool
    ) async throws {
        let (count, timeout) = (count, timeout)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await Self.show(try await runtime.notifications.live(), output, count: count, where: isWanted)
                return true
            }
            if let timeout {
                group.addTask {
                    try await Task.sleep(for: .seconds(timeout.seconds))
                    return false
                }
            }
            let isComplete = try await group.next() ?? true
            group.cancelAll()
            if !isComplete, count != nil { throw EMSError(.failed, "not enough notifications within \(timeout?.seconds ?? 0) s") }
        }
    }

    private static func show(
        _ live: AsyncStream<[RecordedNotification]>, _ output: OutputOptions, count: Int?,
        where isWanted: (RecordedNotification) async throws -> Bool
    ) async throws {
        var rest = count ?? .max
        // What never ends has no closing bracket: JSON comes a line each.
        var output = output
        if output.output == .json { output.output = .jsonl }
        var writer = try ListWriter<Notification>(options: output)
        StandardError.write("watching; Ctrl-C ends it")
        for await batch in live {
            for recorded in batch where rest > 0 {
                guard try await isWanted(recorded) else { continue }
                try writer.write([recorded.notification])
                try StandardOutput.flush()
                rest -= 1
            }
            if rest == 0 { return }
        }
    }
}
