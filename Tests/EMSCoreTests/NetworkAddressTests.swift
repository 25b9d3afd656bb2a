import Testing

@testable import EMSCore

@Suite("Network addresses")
struct NetworkAddressTests {
    @Test(
        "Addresses are read in the usual forms, and shown in the canonical one",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("::1", "::1"), ("2001:DB8::0:1", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1"),
        ])
    func reading(text: String, shown: String) {
        #expect(NetworkAddress(text)?.description == shown)
    }

    @Test(
        "What is no address is none",
        arguments: ["", "192.0.2", "192.0.2.256", "1.2.3.4.5", "example.com", "::g", "1.2.3.4:80", "[::1]", " ::1", "::1\0x"])
    func nonsense(text: String) {
        #expect(NetworkAddress(text) == nil)
    }

    @Test(
        "A network holds the addresses that begin like it",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.0.2.128/25", "192.0.2.127", false),
            ("192.0.2.128/25", "192.0.2.200", true), ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false),
            ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false), ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false), ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ])
    func ranges(range: String, address: String, isWithin: Bool) throws {
        #expect(try #require(NetworkRange(range)).contains(#require(NetworkAddress(address))) == isWithin)
    }

    @Test(
        "What is no network is none",
        arguments: ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::/129", "/8", "example.com/8", "10.0.0.0/8/8"])
    func badRanges(text: String) {
        #expect(NetworkRange(text) == nil)
    }

    @Test("A limit counts the customers of IPv6 by their network")
    func limitKeys() throws {
        #expect(NetworkAddress("2001:db8:1:2:3::4")?.limitKey == "2001:db8:1:2::/64")
        #expect(NetworkAddress("192.0.2.1")?.limitKey == "192.0.2.1")
    }

    @Test("Only what trusted proxies wrote is believed, from the last one on")
    func proxies() throws {
        let proxies = TrustedProxies([try #require(NetworkRange("10.0.0.0/8"))])
        func client(_ peer: String, _ forwarded: String...) throws -> String {
            proxies.client(of: try #require(NetworkAddress(peer)), forwardedFor: forwarded).description
        }
        #expect(try client("192.0.2.1", "203.0.113.1") == "192.0.2.1")
        #expect(try client("10.0.0.1") == "10.0.0.1")
        #expect(try client("10.0.0.1", "203.0.113.1") == "203.0.113.1")
        #expect(try client("10.0.0.1", "203.0.113.66, 203.0.113.1", "10.9.9.9") == "203.0.113.1")
        for (text, address) in [
            ("203.0.113.9:1234", "203.0.113.9"), ("[2001:db8::1]:443", "2001:db8::1"), ("\"[2001:db8::1]\"", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            #expect(try client("10.0.0.1", text) == address)
        }
    }

    @Test("What a proxy wrote that is no address makes the client unknown: in no network, and told apart by what was written")
    func unreadableProxies() throws {
        let proxies = TrustedProxies([try #require(NetworkRange("10.0.0.0/8"))])
        let peer = try #require(NetworkAddress("10.0.0.1"))
        for text in ["nonsense", "203.0.113.1, nonsense, 10.0.0.2", "203.0.113.9:port", "[::1", "unknown", "1.2.3.4:123456"] {
            let client = proxies.client(of: peer, forwardedFor: [text])
            #expect(client.isUnknown && client != .local && !client.isLoopback, "\(text)")
            #expect(NetworkRange("0.0.0.0/0")?.contains(client) == false)
            #expect(NetworkRange("::/0")?.contains(client) == false)
        }
        #expect(proxies.client(of: peer, forwardedFor: ["a"]).limitKey != proxies.client(of: peer, forwardedFor: ["b"]).limitKey)
    }
}
