"""Names of the scripts, without the client that they need: 35 of MAVSDK-Python's examples.

Ten others are left out: cameras, gimbals, grippers, winches and a transponder, which the vehicle does not have; a base
station and a keyboard, which are not here; a calibration, for which the vehicle is turned by hand; and one without a
vehicle.
"""

GROUND = (
    *("all_params", "upload_params", "firmware_version", "geofence", "mission_raw", "mission_import", "highres_imu"),
    *("mavlink_direct_receive", "mavlink_direct_send", "telemetry", "telemetry_flight_mode"),
    *("telemetry_is_armed_is_in_air", "telemetry_status_text", "px4_ev_automation", "rtcm", "send_status_message"),
    *("tune", "shell", "ftp_list_dir", "ftp_download_file", "logfile_download"),
)
"""Scripts that leave the vehicle on the ground as they find it."""

FLIGHTS = (
    *("takeoff_and_land", "telemetry_takeoff_and_land", "goto", "do_orbit", "failure_injection", "follow_me_example"),
    *("manual_control", "mission", "offboard_attitude", "offboard_position_ned", "offboard_position_velocity_ned"),
    *("offboard_velocity_ned", "offboard_velocity_body", "offboard_from_csv"),
)
"""Scripts that fly, each on a vehicle of its own."""
