"""NOAA's data: hourly reports of weather stations, and Storm Events as texts on them.

    from data_modules.sources.noaa.source import weather

Floors, from below: `reports` (stations, hours), `ghcnh`, `lcd` and `isd_lite` (one reader a form), `storm_events`,
`places` (distances), `files` (what is in a folder), `source` (windows and their texts).
"""
