import EMSCore
import EMSRuntime

/// Store and broker, as they are now.
struct ServerChecks {
    /// How long one look may take.
    static let patience: Duration = .seconds(10)
    /// How far a server's clock may be off.
    private static let clockTolerance: Int64 = 5000
    /// How long a change may wait before somebody should know.
    private static let pendingTolerance: Int64 = 60

    let runtime: Runtime

    func findings() async -> [Finding] {
        await store() + broker()
    }

    private func attempt(_ check: String, _ body: @escaping @Sendable () async throws -> [Finding]) async -> [Finding] {
        do {
            return try await withDeadline(Self.patience, check, body)
        } catch {
            return [.failure(check, error)]
        }
    }

    // MARK: The store

    private func store() async -> [Finding] {
        let runtime = runtime
        var findings = await attempt("store.reachable") {
            let report = try await runtime.storeAdministration.report()
            return Self.findings(report)
        }
        guard findings.allSatisfy({ $0.result != .failure }) else { return findings }
        findings += await attempt("store.write") {
            try await runtime.testWrite()
            return [.ok("store.write", "a write was stored")]
        }
        findings += await attempt("store.pending") {
            let pending = try await runtime.pendingChanges()
            let age = pending.oldest.map { Timestamp.now().secondsSinceEpoch - $0.secondsSinceEpoch } ?? 0
            guard age > Self.pendingTolerance else { return [.ok("store.pending", "\(pending.count) changes are on their way")] }
            return [
                .warning(
                    "store.pending", "\(pending.count) changes are pending, the oldest for \(age) s",
                    fix: "ems broker flush, or start a daemon")
            ]
        }
        return findings
    }

    private static func findings(_ report: StoreReport) -> [Finding] {
        var findings = [
            Finding.ok(
                "store.reachable", "\([report.kind, report.version].filter { !$0.isEmpty }.joined(separator: " ")) at \(report.location)")
        ]
        if report.kind == "mongodb", !isAtLeast(report.version, [4, 4]) {
            findings.append(
                .failure("store.version", EMSError(.configuration, "MongoDB \(report.version) is too old", fix: "use 4.4 or newer")))
        }
        if report.schemaVersion > report.latestSchemaVersion {
            let error = EMSError(
                .storeTooNew, "the schema has version \(report.schemaVersion), this program knows \(report.latestSchemaVersion)")
            findings.append(.failure("store.schema", error, fix: "use the version of ems that made it"))
        } else if report.schemaVersion < report.latestSchemaVersion {
            findings.append(
                .warning(
                    "store.schema", "the schema has version \(report.schemaVersion), the latest is \(report.latestSchemaVersion)",
                    fix: "ems store migrate"))
        } else {
            findings.append(.ok("store.schema", "version \(report.schemaVersion)"))
        }
        if report.missingIndexes.isEmpty {
            findings.append(.ok("store.indexes", "all are there"))
        } else {
            let error = EMSError(.configuration, "missing: \(report.missingIndexes.joined(separator: ", "))")
            findings.append(.failure("store.indexes", error, fix: "ems store migrate"))
        }
        if report.isReplicated == false {
            findings.append(
                .warning(
                    "store.replication", "MongoDB is a single server: what it loses is lost",
                    fix: "make it a replica set of three members, and name it in mongodb_url: ?replicaSet=NAME"))
        }
        if let time = report.serverTime {
            let difference = time.milliseconds - Timestamp.now().milliseconds
            findings.append(
                abs(difference) > clockTolerance
                    ? .warning(
                        "store.clock", "the server's clock is \(difference / 1000) s off this machine's",
                        fix: "timedatectl set-ntp true, on both")
                    : .ok("store.clock", "the server's clock is \(abs(difference)) ms off"))
        }
        return findings
    }

    // MARK: The broker

    private func broker() async -> [Finding] {
        let runtime = runtime
        var findings = await attempt("broker.topology") {
            Self.findings(try await runtime.brokerAdministration.report())
        }
        if findings.contains(where: { $0.code == .notFound || $0.code == .configuration }) {
            findings = findings.map { Finding.failure($0.check, EMSError($0.code ?? .failed, $0.message), fix: "ems broker declare") }
        }
        findings += await attempt("broker.progress") {
            let failing = try await runtime.failingConsumers()
            guard let oldest = failing.min(by: { $0.failingSince < $1.failingSince }) else {
                return [.ok("broker.progress", "no consumer fails")]
            }
            let error = EMSError(
                .failed,
                "\(failing.count) \(failing.count == 1 ? "consumer has" : "consumers have") recorded nothing since \(oldest.failingSince): \(oldest.failure)"
            )
            return [.failure("broker.progress", error, fix: "see the daemon's log, and ems broker status")]
        }
        findings += await attempt("broker.confirms") {
            try await runtime.brokerAdministration.probe()
            let isEmbedded = runtime.settings.broker == .embedded
            return [
                .ok(
                    "broker.confirms",
                    isEmbedded ? "the store's own transactions" : "a message was confirmed and read; one that no queue takes came back")
            ]
        }
        return findings
    }

    private static func findings(_ report: BrokerReport) -> [Finding] {
        var findings = [
            Finding.ok("broker.topology", "\(report.kind) \(report.version) at \(report.location), queue \(report.queue)")
        ]
        if report.kind == "rabbitmq", !isAtLeast(report.version, [3, 10]) {
            let error = EMSError(
                .configuration, "RabbitMQ \(report.version) is too old: dead letters could be lost", fix: "use 3.10 or newer")
            findings.append(.failure("broker.version", error))
        }
        if let consumers = report.consumers {
            findings.append(
                consumers > 0
                    ? .ok("broker.consumers", "\(consumers)")
                    : .warning("broker.consumers", "nobody consumes: \(report.depth) messages wait", fix: "start a daemon: ems serve"))
        } else {
            findings.append(.ok("broker.queue", "\(report.depth) messages wait"))
        }
        findings.append(
            report.deadLetters == 0
                ? .ok("broker.dead_letters", "none")
                : .warning("broker.dead_letters", "\(report.deadLetters)", fix: "ems broker dead list, then ems broker dead requeue --all"))
        return findings
    }

    /// Whether a version such as `3.10.8` is one or a later one.
    private static func isAtLeast(_ version: String, _ least: [Int]) -> Bool {
        let parts = version.split(separator: ".").map { Int($0.prefix { $0.isNumber }) ?? 0 }
        return !parts.lexicographicallyPrecedes(least)
    }
}
