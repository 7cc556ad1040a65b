"""The APIs of the vendors as a local server, with faults to order: nobody is ever messaged from here."""
