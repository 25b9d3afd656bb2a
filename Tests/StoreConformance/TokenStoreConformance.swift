import EMSCore
import Testing

/// What every ``TokenStore`` does.
public enum TokenStoreConformance {
    public static let cases: [ConformanceCase] = sessions + rotation

    private static let sessions: [ConformanceCase] = [
        ConformanceCase("An opened session reads as it was written, alone and with its user") { fixture in
            let tokens = fixture.stores.tokens
            let user = try await fixture.add(Samples.user("alice"))
            let session = Samples.session(of: user.id, label: "for the “cron” job")
            #expect(try await tokens.open(session, refreshToken: nil, verified: 0))
            #expect(try await tokens.session(id: session.id) == session)
            let found = try #require(try await tokens.sessionAndUser(id: session.id))
            #expect(found.0 == session)
            #expect(found.1 == user)
            #expect(try await tokens.session(id: SessionID()) == nil)
            #expect(try await tokens.sessionAndUser(id: SessionID()) == nil)
        },
        ConformanceCase("A session ends once; the first end counts") { fixture in
            let tokens = fixture.stores.tokens
            let user = try await fixture.add(Samples.user("alice"))
            let session = Samples.session(of: user.id)
            #expect(try await tokens.open(session, refreshToken: nil, verified: 0))
            #expect(try await tokens.end(session.id, at: Samples.epoch.adding(seconds: 60)))
            #expect(try await !tokens.end(session.id, at: Samples.epoch.adding(seconds: 90)))
            #expect(try await !tokens.end(SessionID(), at: Samples.epoch))
            #expect(try await tokens.session(id: session.id)?.endedAt == Samples.epoch.adding(seconds: 60))
            let found = try #require(try await tokens.sessionAndUser(id: session.id))
            #expect(!found.0.isLive(at: Samples.epoch.adding(seconds: 61)))
        },
        ConformanceCase("A session that expired is not live, so ending it says no") { fixture in
            let tokens = fixture.stores.tokens
            let user = try await fixture.add(Samples.user("alice"))
            let session = Samples.session(of: user.id, lifetime: 60)
            #expect(try await tokens.open(session, refreshToken: nil, verified: 0))
            #expect(try await !tokens.end(session.id, at: Samples.epoch.adding(seconds: 60)))
            #expect(try await tokens.endAll(of: user.id, except: nil, at: Samples.epoch.adding(seconds: 61)) == 0)
        },
        ConformanceCase("All live sessions of a user end but the one that is named, and nobody else's") { fixture in
            let tokens = fixture.stores.tokens
            let (alice, bob) = (try await fixture.add(Samples.user("alice")), try await fixture.add(Samples.user("bob")))
            let mine = (0..<4).map { _ in Samples.session(of: alice.id) }
            let theirs = Samples.session(of: bob.id)
            for session in mine + [theirs] { #expect(try await tokens.open(session, refreshToken: nil, verified: 0)) }
            let now = Samples.epoch.adding(seconds: 10)
            _ = try await tokens.end(mine[3].id, at: Samples.epoch.adding(seconds: 5))
            #expect(try await tokens.endAll(of: alice.id, except: mine[1].id, at: now) == 2)
            var ends: [Timestamp?] = []
            for session in mine + [theirs] { ends.append(try await tokens.session(id: session.id)?.endedAt) }
            #expect(ends == [now, nil, now, Samples.epoch.adding(seconds: 5), nil])
            #expect(try await tokens.endAll(of: alice.id, except: nil, at: now) == 1)
            #expect(try await tokens.endAll(of: UserID(), except: nil, at: now) == 0)
        },
        ConformanceCase("Sessions are listed the newest first, of one user or of all, live ones or all, page by page") { fixture in
            let tokens = fixture.stores.tokens
            let (alice, bob) = (try await fixture.add(Samples.user("alice")), try await fixture.add(Samples.user("bob")))
            let owners = [alice, bob, alice, alice, bob]
            let all = owners.enumerated().map { Samples.session(of: $1.id, lifetime: $0 == 2 ? 10 : 3600) }
            for session in all { #expect(try await tokens.open(session, refreshToken: nil, verified: 0)) }
            let now = Samples.epoch.adding(seconds: 60)
            _ = try await tokens.end(all[4].id, at: now)
            func listed(_ user: User?, _ liveAt: Timestamp? = nil, before: Session? = nil, limit: Int = 10) async throws -> [Int] {
                let found = try await tokens.sessions(of: user?.id, liveAt: liveAt, before: before?.id, limit: limit)
                return found.compactMap { session in all.firstIndex { $0.id == session.id } }
            }
            #expect(try await listed(nil) == [4, 3, 2, 1, 0])
            #expect(try await listed(alice) == [3, 2, 0])
            #expect(try await listed(nil, now) == [3, 1, 0])
            #expect(try await listed(alice, now) == [3, 0])
            #expect(try await listed(nil, limit: 2) == [4, 3])
            #expect(try await listed(nil, before: all[3], limit: 2) == [2, 1])
            #expect(try await listed(alice, before: all[2]) == [0])
            #expect(try await listed(bob, now, before: all[1]).isEmpty)
        },
        ConformanceCase("Which sessions were ended since a moment is told; those that merely expired are not among them") { fixture in
            let tokens = fixture.stores.tokens
            let user = try await fixture.add(Samples.user("alice"))
            let all = (0..<4).map { Samples.session(of: user.id, lifetime: $0 == 3 ? 10 : 3600) }
            for session in all { #expect(try await tokens.open(session, refreshToken: nil, verified: 0)) }
            for index in 0..<3 { _ = try await tokens.end(all[index].id, at: Samples.epoch.adding(seconds: Int64(100 * index + 100))) }
            _ = try await tokens.end(all[3].id, at: Samples.epoch.adding(seconds: 400))
            func ended(since seconds: Int64) async throws -> Set<SessionID> {
                Set(try await tokens.endedSessions(since: Samples.epoch.adding(seconds: seconds)))
            }
            #expect(try await ended(since: 0) == Set(all[..<3].map(\.id)))
            #expect(try await ended(since: 200) == Set(all[1..<3].map(\.id)))
            #expect(try await ended(since: 301).isEmpty)
        },
        ConformanceCase("Deleting a user ends the live sessions, says which, and kills the refresh tokens") { fixture in
            let tokens = fixture.stores.tokens
            let (alice, bob) = (try await fixture.add(Samples.user("alice")), try await fixture.add(Samples.user("bob")))
            let live = Samples.session(of: alice.id)
            let ended = Samples.session(of: alice.id)
            let others = Samples.session(of: bob.id)
            #expect(try await tokens.open(live, refreshToken: Samples.refreshToken(1, of: live), verified: 0))
            #expect(try await tokens.open(ended, refreshToken: nil, verified: 0))
            #expect(try await tokens.open(others, refreshToken: Samples.refreshToken(2, of: others), verified: 0))
            _ = try await tokens.end(ended.id, at: Samples.epoch.adding(seconds: 1))
            let now = Samples.epoch.adding(seconds: 60)
            #expect(try await fixture.stores.users.delete(id: alice.id, at: now))
            #expect(try await tokens.endedSessions(since: now) == [live.id])
            let next = Samples.refreshToken(9, of: live)
            #expect(try await tokens.rotate(Samples.refreshToken(1, of: live).digest, to: next, nonce: [7], at: now) == .refused)
            #expect(try await tokens.sessionAndUser(id: live.id) == nil)
            #expect(try await tokens.sessionAndUser(id: others.id)?.1 == bob)
        },
        ConformanceCase("Sessions that expired or ended before a moment are purged with their refresh tokens") { fixture in
            let tokens = fixture.stores.tokens
            let user = try await fixture.add(Samples.user("alice"))
            let expired = Samples.session(of: user.id, lifetime: 10)
            let ended = Samples.session(of: user.id)
            let live = Samples.session(of: user.id)
            for (number, session) in [expired, ended, live].enumerated() {
                #expect(try await tokens.open(session, refreshToken: Samples.refreshToken(UInt8(number), of: session), verified: 0))
            }
            _ = try await tokens.end(ended.id, at: Samples.epoch.adding(seconds: 20))
            #expect(try await tokens.purgeable(before: Samples.epoch.adding(seconds: 10)) == 0)
            #expect(try await tokens.purge(before: Samples.epoch.adding(seconds: 10)) == 0)
            #expect(try await tokens.purgeable(before: Samples.epoch.adding(seconds: 20)) == 1)
            #expect(try await tokens.purge(before: Samples.epoch.adding(seconds: 20)) == 1)
            #expect(try await tokens.session(id: expired.id) == nil)
            #expect(try await tokens.session(id: ended.id) != nil)
            #expect(try await tokens.purgeable(before: Samples.epoch.adding(seconds: 21)) == 1)
            #expect(try await tokens.purge(before: Samples.epoch.adding(seconds: 21)) == 1)
            #expect(try await tokens.session(id: ended.id) == nil)
            #expect(try await tokens.sessionID(ofRefreshToken: Samples.refreshToken(1, of: ended).digest) == nil)
            #expect(try await tokens.sessionID(ofRefreshToken: Samples.refreshToken(2, of: live).digest) == live.id)
            #expect(try await tokens.session(id: live.id) == live)
        },
    ]

    private static let rotation: [ConformanceCase] = [
        ConformanceCase("A session is opened only for the credentials and the state that were verified") { fixture in
            let (users, tokens) = (fixture.stores.users, fixture.stores.tokens)
            let now = Samples.epoch
            let changes: [(String, @Sendable (User) async throws -> Void)] = [
                ("password", { try await users.setPasswordHash("other", of: $0.id, expecting: nil, at: now) }),
                ("inactive", { _ = try await users.change($0.id, UserChange(isActive: false), at: now) }),
                ("everywhere", { _ = try await tokens.endAll(of: $0.id, except: nil, at: now) }),
                ("deleted", { _ = try await users.delete(id: $0.id, at: now) }),
                (
                    "reactivated",
                    {
                        _ = try await users.change($0.id, UserChange(isActive: false), at: now)
                        _ = try await users.change($0.id, UserChange(isActive: true), at: now)
                    }
                ),
            ]
            for (name, change) in changes {
                let user = try await fixture.add(Samples.user(name))
                let verified = try #require(try await users.credentials(id: user.id)).version
                try await change(user)
                let session = Samples.session(of: user.id)
                let token = Samples.refreshToken(9, of: session)
                #expect(try await tokens.open(session, refreshToken: token, verified: verified) == false, "\(name)")
                #expect(try await tokens.session(id: session.id) == nil, "\(name)")
                #expect(try await tokens.sessionID(ofRefreshToken: token.digest) == nil, "\(name)")
            }
            let user = try await fixture.add(Samples.user("unchanged"))
            _ = try await users.change(user.id, UserChange(fullName: "Other", role: .admin), at: now)
            #expect(try await tokens.open(Samples.session(of: user.id), refreshToken: nil, verified: 0))
        },
        ConformanceCase("A refresh token is used up by its successor, and still tells its session") { fixture in
            let tokens = fixture.stores.tokens
            let user = try await fixture.add(Samples.user("alice"))
            let session = Samples.session(of: user.id)
            let chain = (1...4).map { Samples.refreshToken(UInt8($0), of: session) }
            #expect(try await tokens.open(session, refreshToken: chain[0], verified: 0))
            for (old, new) in zip(chain, chain.dropFirst()) {
                #expect(try await tokens.rotate(old.digest, to: new, nonce: [7], at: Samples.epoch) == .rotated(session.id))
            }
            for token in chain { #expect(try await tokens.sessionID(ofRefreshToken: token.digest) == session.id) }
            #expect(try await tokens.session(id: session.id)?.endedAt == nil)
        },
        ConformanceCase("A refresh token that comes again within the grace time gets the same successor, and later ends its session") {
            fixture in
            let tokens = fixture.stores.tokens
            let user = try await fixture.add(Samples.user("alice"))
            let session = Samples.session(of: user.id)
            let other = Samples.session(of: user.id)
            let chain = (1...4).map { Samples.refreshToken(UInt8($0), of: session) }
            #expect(try await tokens.open(session, refreshToken: chain[0], verified: 0))
            #expect(try await tokens.open(other, refreshToken: Samples.refreshToken(50, of: other), verified: 0))
            let last = Samples.epoch.adding(seconds: RefreshTokenRecord.graceSeconds)
            let late = last.adding(milliseconds: 1)
            #expect(try await tokens.rotate(chain[0].digest, to: chain[1], nonce: [1, 2], at: Samples.epoch) == .rotated(session.id))
            for moment in [Samples.epoch, last] {
                let again = try await tokens.rotate(chain[0].digest, to: chain[2], nonce: [3], at: moment)
                #expect(again == .repeated(session.id, nonce: [1, 2]))
            }
            #expect(try await tokens.sessionID(ofRefreshToken: chain[2].digest) == nil)
            #expect(try await tokens.session(id: session.id)?.endedAt == nil)
            #expect(try await tokens.rotate(chain[0].digest, to: chain[2], nonce: [3], at: late) == .reused(session.id))
            #expect(try await tokens.session(id: session.id)?.endedAt == late)
            #expect(try await tokens.endedSessions(since: late) == [session.id])
            #expect(try await tokens.rotate(chain[1].digest, to: chain[3], nonce: [3], at: late) == .refused)
            #expect(try await tokens.sessionID(ofRefreshToken: chain[2].digest) == nil)
            #expect(try await tokens.session(id: other.id)?.endedAt == nil)
        },
        ConformanceCase("Of eight that use one refresh token at once, one stores a successor and the others get the same one") { fixture in
            let tokens = fixture.stores.tokens
            let user = try await fixture.add(Samples.user("alice"))
            let session = Samples.session(of: user.id)
            let first = Samples.refreshToken(1, of: session)
            #expect(try await tokens.open(session, refreshToken: first, verified: 0))
            let results = await concurrently(8) { index in
                let next = Samples.refreshToken(UInt8(100 + index), of: session)
                return (index, try await tokens.rotate(first.digest, to: next, nonce: [UInt8(index)], at: Samples.epoch))
            }
            let outcomes = try results.map { try $0.get().1 }
            let winner = try #require(try results.map { try $0.get() }.first { $0.1 == .rotated(session.id) }).0
            #expect(outcomes.count { $0 == .rotated(session.id) } == 1)
            #expect(outcomes.count { $0 == .repeated(session.id, nonce: [UInt8(winner)]) } == 7)
            for index in 0..<8 {
                let stored = try await tokens.sessionID(ofRefreshToken: Samples.refreshToken(UInt8(100 + index), of: session).digest)
                #expect((stored != nil) == (index == winner))
            }
            #expect(try await tokens.session(id: session.id)?.endedAt == nil)
        },
        ConformanceCase("Unknown and expired tokens, and those of ended or expired sessions, are refused and store nothing") { fixture in
            let tokens = fixture.stores.tokens
            let user = try await fixture.add(Samples.user("alice"))
            let live = Samples.session(of: user.id)
            let ended = Samples.session(of: user.id)
            let short = Samples.session(of: user.id, lifetime: 10)
            #expect(
                try await tokens.open(
                    live, refreshToken: Samples.refreshToken(1, of: live, expiresAt: Samples.epoch.adding(seconds: 20)), verified: 0))
            #expect(try await tokens.open(ended, refreshToken: Samples.refreshToken(2, of: ended), verified: 0))
            #expect(try await tokens.open(short, refreshToken: Samples.refreshToken(3, of: short, expiresAt: Samples.hour(1)), verified: 0))
            _ = try await tokens.end(ended.id, at: Samples.epoch)
            let now = Samples.epoch.adding(seconds: 20)
            for (number, session) in [(1, live), (2, ended), (3, short), (4, live)] as [(UInt8, Session)] {
                let next = Samples.refreshToken(number + 100, of: session)
                let outcome = try await tokens.rotate(Samples.refreshToken(number, of: session).digest, to: next, nonce: [7], at: now)
                #expect(outcome == .refused, "token \(number)")
                #expect(try await tokens.sessionID(ofRefreshToken: next.digest) == nil, "token \(number)")
            }
            #expect(try await tokens.session(id: live.id)?.endedAt == nil)
        },
    ]
}
