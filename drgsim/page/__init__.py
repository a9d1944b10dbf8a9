"""One HTML page that groups and prices discharges in a browser, without Python and without a network.

``page_scheme`` and ``page_catalogue`` write compiled schemes as data, ``page_prices`` what a policy pays, ``page_codes`` the
dictionaries with the first letters of their names in pinyin; ``page_writer`` puts them and the scripts of ``js`` into one file.
"""
