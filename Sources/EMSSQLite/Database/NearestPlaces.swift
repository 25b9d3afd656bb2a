import EMSCore
import GRDB
import GRDBSQLite

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// `ems_nearest(latitude, longitude, radius, from)`, for `MATCH` on the tree of places: what lies within the radius around a place, in
/// kilometres, and not nearer than `from`. The tree then gives its entries in the order of their distance
/// (sqlite.org/rtree.html, section 3.2): it opens the node next that is the nearest, so that the first rows cost little, however many
/// there are.
enum NearestPlaces {
    static func register(in db: Database) throws {
        let status = sqlite3_rtree_query_callback(
            db.sqliteConnection, "ems_nearest", { info in info.map { NearestPlaces.judge(&$0.pointee) } ?? SQLITE_ERROR }, nil, nil)
        guard status == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: status)) }
    }

    /// Says of one node or entry whether it may hold a match, and how near it is at the most.
    private static func judge(_ info: inout sqlite3_rtree_query_info) -> Int32 {
        guard info.nParam == 4, info.nCoord == 4, let parameters = info.aParam, let box = info.aCoord else { return SQLITE_ERROR }
        let center = Coordinates(latitude: parameters[0], longitude: parameters[1])
        let bounds = PlaceBox(latitudes: (box[0], box[1]), longitudes: (box[2], box[3]))
        let distance = bounds.distance(from: center)
        let isOutside = distance > parameters[2] || (info.iLevel == 0 && bounds.farthestCorner(from: center) < parameters[3])
        info.eWithin = isOutside ? NOT_WITHIN : PARTLY_WITHIN
        info.rScore = distance
        return SQLITE_OK
    }
}

/// A part of the earth between two latitudes and two longitudes, in degrees.
struct PlaceBox {
    let latitudes: (south: Double, north: Double)
    let longitudes: (west: Double, east: Double)

    init(latitudes: (Double, Double), longitudes: (Double, Double)) {
        // The tree rounds outwards, beyond the poles as well.
        self.latitudes = (max(latitudes.0, -90), min(latitudes.1, 90))
        self.longitudes = longitudes
    }

    /// The least distance to a place in the box, in kilometres: 0 inside; along the meridian where the box has the longitude of the place;
    /// otherwise to the nearest point of its western or eastern side.
    func distance(from place: Coordinates) -> Double {
        if place.longitude >= longitudes.west, place.longitude <= longitudes.east {
            let latitude = min(max(place.latitude, latitudes.south), latitudes.north)
            return place.distance(to: Coordinates(latitude: latitude, longitude: place.longitude))
        }
        return min(distance(from: place, toSide: longitudes.west), distance(from: place, toSide: longitudes.east))
    }

    /// The nearest point of a meridian has the latitude atan2(sin φ, cos φ · cos Δλ): there the great circle to it is perpendicular. Where
    /// that is beyond the ends of the side, one of the ends is the nearest.
    private func distance(from place: Coordinates, toSide longitude: Double) -> Double {
        let (latitude, difference) = (place.latitude * .pi / 180, (longitude - place.longitude) * .pi / 180)
        let foot = atan2(sin(latitude), cos(latitude) * cos(difference))
        let clamped = min(max(foot * 180 / .pi, latitudes.south), latitudes.north)
        return [clamped, latitudes.south, latitudes.north]
            .map { place.distance(to: Coordinates(latitude: $0, longitude: longitude)) }.min() ?? 0
    }

    /// The distance to the farthest corner: of a box of a few metres, nothing in it is farther.
    func farthestCorner(from place: Coordinates) -> Double {
        var farthest = 0.0
        for latitude in [latitudes.south, latitudes.north] {
            for longitude in [longitudes.west, longitudes.east] {
                farthest = max(farthest, place.distance(to: Coordinates(latitude: latitude, longitude: longitude)))
            }
        }
        return farthest
    }
}
