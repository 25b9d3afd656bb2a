import EMSCore
import Foundation
import Synchronization
import Testing

/// Servers and daemons die or hang while events are created; in the end every accepted change is in the inbox, once.
@Suite(.serialized, .gated, .enabled(if: SharedServers.areHere, SharedServers.hint))
struct FaultTests {
    @Test("mongod is killed and started again")
    func mongodKilled() async throws {
        let folder = try Workspace()
        let mongod = try await OwnServer.mongod(folder)
        try await OwnServer.makeReplicaSet([mongod], folder)
        try await withTraffic(mongodb: "mongodb://127.0.0.1:\(mongod.port)/?replicaSet=rs0") { cluster, daemon, traffic in
            try await traffic.more(100)
            try await mongod.kill()
            try await eventually("health says so") { try await Self.readiness(daemon).status == 503 }
            try await mongod.start()
            try await traffic.more(100)
        }
        try await mongod.kill()
    }

    @Test("The primary of three members is killed: writes go on after the election")
    func primaryKilled() async throws {
        let folder = try Workspace()
        var members: [OwnServer] = []
        for _ in 0..<3 { members.append(try await OwnServer.mongod(folder)) }
        try await OwnServer.makeReplicaSet(members, folder)
        let hosts = members.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        // The first member that was named is the one the set was made with, and its primary.
        try await withTraffic(mongodb: "mongodb://\(hosts)/?replicaSet=rs0") { cluster, daemon, traffic in
            try await traffic.more(100)
            try await members[0].kill()
            try await traffic.more(100)
        }
        for member in members { try await member.kill() }
    }

    @Test("RabbitMQ is killed and started again: writes do not notice")
    func rabbitMQKilled() async throws {
        let folder = try Workspace()
        let rabbit = try await OwnServer.rabbitmq(folder)
        let beforeTraffic = { (cluster: Cluster) in
            // RabbitMQ 3.10 does not recover a quorum queue that was declared within a second before a crash: after an orderly
            // restart, it is no young queue any more.
            try await cluster.workspace.output("broker", "declare")
            try await rabbit.stop()
            try await rabbit.start()
        }
        try await withTraffic(rabbitmq: Self.url(rabbit), prepare: beforeTraffic) { cluster, daemon, traffic in
            try await traffic.more(100)
            try await rabbit.kill()
            try await eventually("health says so, and goes on serving") {
                let answer = try await Self.readiness(daemon)
                return answer.status == 200 && answer.json["status"] == .string("degraded")
            }
            try await traffic.more(100)
            #expect(await traffic.refused == 0)
            try await rabbit.start()
            try await traffic.more(100)
        }
        try await rabbit.kill()
    }

    @Test("RabbitMQ is down for the first minute of the daemon's life")
    func rabbitMQLate() async throws {
        let folder = try Workspace()
        let rabbit = try await OwnServer.rabbitmq(folder, starting: false)
        let start = ContinuousClock.now
        try await withTraffic(rabbitmq: Self.url(rabbit), pause: .milliseconds(50)) { cluster, daemon, traffic in
            try await eventually("a minute has passed", within: .seconds(90)) { ContinuousClock.now - start > .seconds(60) }
            #expect(await traffic.accepted > 100)
            #expect(await traffic.refused == 0)
            #expect(try await Self.readiness(daemon).json["status"] == .string("degraded"))
            try await rabbit.start()
            try await traffic.more(20)
        }
        try await rabbit.kill()
    }

    #if DEBUG
    @Test(
        "A daemon dies between two steps of a change's way",
        arguments: [
            "between-write-and-publish", "between-entry-and-publish", "between-publish-and-clear", "between-record-and-acknowledge",
        ])
    func daemonKilledBetweenSteps(point: String) async throws {
        let cluster = try Cluster()
        let token = try await cluster.person("ada")
        let doomed = try await cluster.daemon(["EMS_FAULT_POINT": point])
        let spare = try await cluster.daemon()
        let traffic = Traffic([doomed, spare], token: token)
        await traffic.start()
        #expect(try await doomed.ended() == SIGKILL)
        try await traffic.more(50)
        let accepted = try await traffic.stop()
        try await cluster.settled(spare)
        try await cluster.expectInbox(of: "ada", accepted)
    }
    #endif

    @Test("One of two daemons is killed in the middle of its work")
    func daemonKilled() async throws {
        let cluster = try Cluster()
        let token = try await cluster.person("ada")
        let (first, second) = (try await cluster.daemon(), try await cluster.daemon())
        let client = try await WebSocketClient(port: second.port, token: token)
        _ = try await client.next("connection_status")
        try await client.settle()
        let traffic = Traffic([first, second], token: token)
        await traffic.start()
        try await traffic.more(200)
        try await first.crash()
        try await traffic.more(100)
        let accepted = try await traffic.stop()
        try await cluster.settled(second)
        try await cluster.expectInbox(of: "ada", accepted)
        try await eventually("the client of the other hears of all") { client.notificationIDs.count >= accepted }
        #expect(client.notificationIDs.count == accepted)
        #expect(Set(client.notificationIDs).count == accepted)
    }

    @Test("Events, subscriptions, deletions and restorations, with daemons killed and the inbox at rest for a while: all adds up")
    func everything() async throws {
        let cluster = try Cluster()
        let daemons = [try await cluster.daemon(), try await cluster.daemon()]
        let drill = try await Drill(cluster.workspace, ports: daemons.map(\.port))
        let last = Mutex<[TestDaemon]>([])
        try await drill.run(rounds: 30) {
            for round in 0..<4 {
                if round == 1 { try await cluster.workspace.ems("broker", "pause", "inbox").expectDone() }
                try await Task.sleep(for: .seconds(1))
                let doomed = last.withLock { $0.popLast() } ?? daemons[0]
                try await doomed.crash()
                let next = try await cluster.daemon(port: daemons[0].port)
                last.withLock { $0.append(next) }
                if round == 2 { try await cluster.workspace.ems("broker", "resume", "inbox").expectDone() }
            }
        }
        try await drill.expectAllIsWell()
        #expect(try await daemons[1].stop() == 0)
    }

    @Test("The clock of one of two daemons jumps back an hour, and forward again: nothing is lost or shown twice")
    func clock() async throws {
        let cluster = try Cluster()
        let clock = try FakeClock(cluster.workspace)
        let daemons = [try await cluster.daemon(clock.environment()), try await cluster.daemon()]
        let drill = try await Drill(cluster.workspace, ports: daemons.map(\.port), clock: FakeClock.longLived())
        try await drill.run(rounds: 30) { try await CrashTests.jump(clock) }
        try await drill.expectAllIsWell()
        for daemon in daemons { #expect(try await daemon.stop() == 0) }
    }

    @Test("MongoDB hangs instead of dying: requests end in time, health says so, and all goes on by itself")
    func mongodHangs() async throws {
        let folder = try Workspace()
        let mongod = try await OwnServer.mongod(folder)
        try await OwnServer.makeReplicaSet([mongod], folder)
        let url = "mongodb://127.0.0.1:\(mongod.port)/?replicaSet=rs0&socketTimeoutMS=2000&serverSelectionTimeoutMS=2000"
        try await withTraffic(mongodb: url) { cluster, daemon, traffic in
            try await traffic.more(50)
            await mongod.signal(SIGSTOP)
            try await eventually("health says so") { try await Self.readiness(daemon).status == 503 }
            try await eventually("requests are refused in time", within: .seconds(30)) { await traffic.refused > 0 }
            await mongod.signal(SIGCONT)
            try await traffic.more(50)
        }
        try await mongod.kill()
    }

    @Test("RabbitMQ hangs instead of dying: writes do not notice, health says so, and all goes on by itself")
    func rabbitMQHangs() async throws {
        let folder = try Workspace()
        let rabbit = try await OwnServer.rabbitmq(folder)
        try await withTraffic(rabbitmq: Self.url(rabbit) + "?heartbeat=2") { cluster, daemon, traffic in
            try await traffic.more(50)
            await rabbit.signal(SIGSTOP)
            try await eventually("health says so") { try await Self.readiness(daemon).json["status"] == .string("degraded") }
            try await traffic.more(50)
            #expect(await traffic.refused == 0)
            await rabbit.signal(SIGCONT)
            try await traffic.more(50)
        }
        try await rabbit.kill()
    }

    // MARK: Shared

    /// Runs `body` while events are created through one daemon, and then compares what was accepted with what arrived.
    private func withTraffic(
        mongodb: String? = nil, rabbitmq: String? = nil, pause: Duration = .zero, prepare: (Cluster) async throws -> Void = { _ in },
        _ body: (Cluster, TestDaemon, Traffic) async throws -> Void
    ) async throws {
        let cluster = try Cluster(mongodb: mongodb, rabbitmq: rabbitmq)
        try await prepare(cluster)
        let token = try await cluster.person("ada")
        let daemon = try await cluster.daemon()
        let traffic = Traffic([daemon], token: token, pause: pause)
        await traffic.start()
        try await body(cluster, daemon, traffic)
        let accepted = try await traffic.stop()
        try await cluster.settled(daemon)
        try await cluster.expectInbox(of: "ada", accepted)
        #expect(try await daemon.stop() == 0)
    }

    private static func readiness(_ daemon: TestDaemon) async throws -> HTTPClient.Answer {
        try await HTTPClient(port: daemon.port).get("/readyz")
    }

    private static func url(_ server: OwnServer) -> String { "amqp://guest:guest@127.0.0.1:\(server.port)/" }
}
