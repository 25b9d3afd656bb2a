import EMSCore
import EMSRuntime
import Logging
import NIOConcurrencyHelpers
import ServiceLifecycle

/// Looks at the store and the broker once a second, so that whoever asks how they are gets an answer at once, whatever they do.
final class HealthMonitor: Service {
    private static let interval: Duration = .seconds(1)
    /// How often a write is tried while anybody asks: a full disk lets every read succeed.
    private static let writeInterval: Duration = .seconds(5)
    /// A state that is older says nothing any more.
    private static let longestAge: Duration = .seconds(15)

    private struct State {
        var health: Result<Runtime.Health, EMSError> = .failure(starting)
        var at = ContinuousClock.now
        var writeFailure: EMSError?
        var wasAsked = true

        var isReady: Bool {
            if case .success = health { writeFailure == nil } else { false }
        }
    }

    private static let starting = EMSError(.unreachable, "the state of the store is not known yet", retryAfter: 1)

    /// How long a consumer may fail before others are to know: most failures pass at once.
    private static let failurePatience: Int64 = 2
    private static let reportInterval: Int64 = 10

    private let runtime: Runtime
    /// A name for this process in its reports.
    private let process = SecureRandom.hex(16)
    private let reportedAt = NIOLockedValueBox<Timestamp?>(nil)
    private let state = NIOLockedValueBox(State())

    init(runtime: Runtime) {
        self.runtime = runtime
    }

    /// How the parts were at the last look.
    func current() -> Result<Runtime.Health, EMSError> {
        state.withLockedValue { state in
            state.wasAsked = true
            if state.at.duration(to: .now) > Self.longestAge {
                return .failure(EMSError(.unreachable, "the store gives no answer", retryAfter: 1))
            }
            if let failure = state.writeFailure { return .failure(failure) }
            return state.health
        }
    }

    /// A request failed: if that was because of the store's disk, the state is known before the next look.
    func noteFailure(_ error: any Error) {
        guard let error = error as? EMSError, [.storeFull, .storeReadOnly, .inputOutput].contains(error.code) else { return }
        state.withLockedValue {
            $0.writeFailure = error
            $0.wasAsked = true
        }
    }

    /// Takes the first look, so that what is served from now on has a state to tell of.
    func prepare() async { await look(tryingWrite: false) }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var lastWrite: ContinuousClock.Instant?
            while !Task.isCancelled {
                let isDue = lastWrite.map { $0.duration(to: .now) >= Self.writeInterval } ?? true
                let writes = isDue && self.state.withLockedValue { $0.wasAsked }
                await self.look(tryingWrite: writes)
                if writes { lastWrite = .now }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func look(tryingWrite: Bool) async {
        let health: Result<Runtime.Health, EMSError>
        do {
            health = .success(try await runtime.health())
        } catch {
            health = .failure(EMSError(error))
        }
        if case .success(let health) = health { await leaveReport(health) }
        var writeFailure: EMSError?
        if tryingWrite, case .success = health {
            do {
                try await runtime.testWrite()
            } catch {
                writeFailure = EMSError(error)
            }
        }
        // What was cut short because the daemon ends says nothing.
        guard !Task.isCancelled else { return }
        let (wasReady, isReady) = state.withLockedValue { state in
            let wasReady = state.isReady
            state.health = health
            state.at = .now
            if tryingWrite {
                state.writeFailure = writeFailure
                state.wasAsked = false
            }
            return (wasReady, state.isReady)
        }
        if wasReady, !isReady {
            let cause = writeFailure ?? Self.failure(health)
            runtime.logger.warning("not ready: \(cause.map { "\($0)" } ?? "the store fails")")
        }
    }

    /// Reports to all processes, through the store, that the consumer of this one is failing, or has recovered.
    private func leaveReport(_ health: Runtime.Health) async {
        let now = Timestamp.now()
        let last = reportedAt.withLockedValue { $0 }
        let since = health.consumer.failingSince.flatMap { $0 < now.adding(seconds: -Self.failurePatience) ? $0 : nil }
        if since == nil, last == nil { return }
        if since != nil, let last, now < last.adding(seconds: Self.reportInterval) { return }
        let report = since.map {
            ConsumerReport(
                process: process, unacknowledged: (try? health.broker.get().unacknowledged) ?? 0, failingSince: $0,
                failure: health.consumer.failure?.message ?? "unknown", reportedAt: now)
        }
        do {
            try await runtime.leaveReport(report, of: process)
            reportedAt.withLockedValue { $0 = report?.reportedAt }
        } catch {
            // The store itself is failing, which its own check reports.
            runtime.logger.debug("the failing consumer cannot be reported: \(EMSError(error).message)")
        }
    }

    private static func failure(_ health: Result<Runtime.Health, EMSError>) -> EMSError? {
        if case .failure(let error) = health { error } else { nil }
    }
}
