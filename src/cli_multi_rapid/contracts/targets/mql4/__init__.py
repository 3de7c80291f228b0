"""MQL4: structs that read and write a contract, compiled and executed here by g++ on a host shim."""
