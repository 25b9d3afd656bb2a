import EMSCore
import Logging
import NIOCore
import NIOConcurrencyHelpers
import ServiceLifecycle

/// Knows the sessions of this process, and hands each notification to those it is for: encoded once, one hop per event loop, the same
/// buffer to all.
final class WebSocketHub: Service {
    /// How often ended sessions are looked for while anybody is connected.
    static let revocationInterval: Duration = .seconds(1)
    /// How far back each check reaches beyond the last one that succeeded: the clocks of several machines may differ by this much.
    static let revocationOverlapSeconds: Int64 = 60

    private let notifications: NotificationService
    private let live: AsyncStream<[RecordedNotification]>
    private let authentication: AuthenticationService
    private let logger: Logger
    private let shards: [Shard]
    private let connected = NIOLockedValueBox(Connected())

    /// The sessions of one event loop. Only touched on it, except for what waits to be sent.
    private final class Shard: @unchecked Sendable {
        // Sendable because every access to `sessions` and `clock` happens on `eventLoop`, which each method that has one asserts.
        let eventLoop: any EventLoop
        private var sessions: [WebSocketSession] = []
        private var clock: RepeatedTask?
        private let waiting = NIOLockedValueBox<[Outgoing]>([])

        init(eventLoop: any EventLoop) {
            self.eventLoop = eventLoop
        }

        func add(_ session: WebSocketSession) {
            eventLoop.assertInEventLoop()
            session.seat = sessions.count
            sessions.append(session)
            if clock == nil {
                clock = eventLoop.scheduleRepeatedTask(initialDelay: tick, delay: tick) { [weak self] _ in self?.look() }
            }
        }

        func remove(_ session: WebSocketSession) {
            eventLoop.assertInEventLoop()
            guard let seat = session.seat, let last = sessions.popLast() else { return }
            session.seat = nil
            if last !== session {
                sessions[seat] = last
                last.seat = seat
            }
            guard sessions.isEmpty else { return }
            sessions = []
            clock?.cancel()
            clock = nil
        }

        /// One clock for all that have to be pinged, or whose time has come.
        private func look() {
            eventLoop.assertInEventLoop()
            let now = NIODeadline.now()
            // From the end: one that ends takes the last one's place.
            for seat in sessions.indices.reversed() where seat < sessions.count { sessions[seat].look(now) }
        }

        /// Sends a batch, together with everything else that arrives before the loop turns: each session gets it in one write.
        func send(_ batch: [Outgoing]) {
            let isFirst = waiting.withLockedValue { waiting in
                defer { waiting += batch }
                return waiting.isEmpty
            }
            if isFirst { eventLoop.execute { self.broadcast() } }
        }

        private func broadcast() {
            eventLoop.assertInEventLoop()
            let batch = waiting.withLockedValue { waiting in
                defer { waiting = [] }
                return waiting
            }
            let runs = Run.runs(of: batch)
            for seat in sessions.indices.reversed() where seat < sessions.count {
                let session = sessions[seat]
                for run in runs { run.send(to: session) }
                session.flush()
            }
        }

        func close(_ ended: Set<SessionID>) {
            eventLoop.assertInEventLoop()
            for session in sessions where ended.contains(session.identity.sessionID) {
                session.close(EMSError(.tokenRevoked, "the token was revoked"))
            }
        }
    }

    /// How often sessions are looked at.
    private static let tick: TimeAmount = .milliseconds(500)

    /// Notifications that follow each other, and are for everyone: their frames make one buffer, which all sessions share.
    private struct Run {
        private static let bytes = 128 * 1024

        private var parts: [Outgoing]
        private var frames: ByteBuffer

        static func runs(of batch: [Outgoing]) -> [Run] {
            var runs: [Run] = []
            for outgoing in batch {
                // Asked in place: a copy of the last one would share its buffer while that grows.
                if let last = runs.indices.last, outgoing.recipients == nil, runs[last].takes(outgoing) {
                    runs[last].add(outgoing)
                } else {
                    runs.append(Run(parts: [outgoing], frames: outgoing.frame))
                }
            }
            return runs
        }

        private var isForEveryone: Bool { parts[0].recipients == nil }

        private func takes(_ outgoing: Outgoing) -> Bool {
            isForEveryone && frames.readableBytes + outgoing.frame.readableBytes <= Self.bytes
        }

        private mutating func add(_ outgoing: Outgoing) {
            if parts.count == 1 {
                // The first frame belongs to others as well.
                var joined = ByteBufferAllocator().buffer(capacity: min(Self.bytes, 16 * frames.readableBytes))
                joined.writeImmutableBuffer(frames)
                frames = joined
            }
            parts.append(outgoing)
            frames.writeImmutableBuffer(outgoing.frame)
        }

        func send(to session: WebSocketSession) {
            if isForEveryone, session.notify(frames, from: parts[0].position) { return }
            for outgoing in parts where outgoing.isFor(session.identity.user.id) { session.notify(outgoing.frame, at: outgoing.position) }
        }
    }

    /// Who has sessions here.
    private struct Connected {
        var sessions = 0
        var users: Set<UserID> = []
        private var counts: [UserID: Int] = [:]

        mutating func count(_ user: UserID, _ difference: Int) {
            sessions += difference
            let count = counts[user, default: 0] + difference
            counts[user] = count > 0 ? count : nil
            if count > 0 { users.insert(user) } else { users.remove(user) }
        }
    }

    private struct Outgoing: Sendable {
        let position: Int64
        let frame: ByteBuffer
        /// Those who are connected here; `nil`: everyone.
        let recipients: Set<UserID>?

        func isFor(_ user: UserID) -> Bool { recipients?.contains(user) ?? true }
    }

    /// Listens to the live feed from here on: a session that is admitted afterwards finds no gap between what it catches up with and
    /// what it hears live.
    init(
        notifications: NotificationService, authentication: AuthenticationService, eventLoopGroup: any EventLoopGroup, logger: Logger
    ) async throws {
        self.notifications = notifications
        live = try await notifications.live()
        self.authentication = authentication
        self.logger = logger
        shards = eventLoopGroup.makeIterator().map(Shard.init)
    }

    /// How many sessions are connected.
    var sessions: Int { connected.withLockedValue { $0.sessions } }

    func add(_ session: WebSocketSession, on eventLoop: any EventLoop) {
        connected.withLockedValue { $0.count(session.identity.user.id, 1) }
        shard(of: eventLoop)?.add(session)
    }

    func remove(_ session: WebSocketSession, from eventLoop: any EventLoop) {
        connected.withLockedValue { $0.count(session.identity.user.id, -1) }
        shard(of: eventLoop)?.remove(session)
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.fanOut() }
                group.addTask { await self.closeRevoked() }
                await group.waitForAll()
            }
        }
    }

    private func fanOut() async {
        for await batch in live {
            guard sessions > 0 else { continue }
            var outgoing: [Outgoing] = []
            for recorded in batch {
                let recipients = recorded.isForEveryone ? nil : await recipients(of: recorded)
                outgoing.append(
                    Outgoing(position: recorded.position, frame: ServerFrame.text(recorded.notification.json()), recipients: recipients))
            }
            let ready = outgoing
            for shard in shards { shard.send(ready) }
        }
    }

    /// Who is connected and gets it. Asks until the store answers: a notification must not pass its recipients by.
    private func recipients(of recorded: RecordedNotification) async -> Set<UserID> {
        while !Task.isCancelled {
            let users = connected.withLockedValue { $0.users }
            if users.isEmpty { return [] }
            do {
                return try await notifications.recipients(of: recorded, among: users)
            } catch {
                logger.warning("live notifications wait for the store: \(EMSError(error))")
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
        return []
    }

    private func closeRevoked() async {
        // However long the process was paused or the store did not answer: nothing that was ended meanwhile is missed.
        var checked = Timestamp.now()
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.revocationInterval)
            let now = Timestamp.now()
            guard !Task.isCancelled else { return }
            guard sessions > 0 else {
                checked = now
                continue
            }
            do {
                let since = min(checked, now).adding(seconds: -Self.revocationOverlapSeconds)
                let ended = Set(try await authentication.endedSessions(since: since))
                checked = now
                if ended.isEmpty { continue }
                for shard in shards { shard.eventLoop.execute { shard.close(ended) } }
            } catch {
                logger.warning("revoked sessions are looked for again: \(EMSError(error))")
            }
        }
    }

    private func shard(of eventLoop: any EventLoop) -> Shard? {
        shards.first { $0.eventLoop === eventLoop }
    }
}
